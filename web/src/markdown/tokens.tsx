// Draws marked's tokens as React elements. Nothing here makes HTML from text, so nothing that a model or a visitor writes
// can become markup. Images become links, because loading them would tell others who reads.
import type { Token, Tokens } from "marked";
import { createElement, type ReactNode, useContext } from "react";
import { CodeBlock, Formula } from "./code";
import { SafeLink } from "./links";
import { MentionNames, Mentions } from "./mentions";
import { NoteReferenceLink } from "./note-references";
import { isClosedFence } from "./parse";
import { safeUrl } from "./syntax/addresses";
import { decodeEntities } from "./syntax/entities";
import { isMarkdownToken, type MarkdownToken } from "./token";

interface Drawing {
  /** Whether the text still grows at its end; then an open fence is not highlighted yet. */
  open: boolean;
}

const CODE = /`[^`]*`?/g;
/** The first letter, if it belongs to a script that is written from right to left. */
const RIGHT_TO_LEFT =
  /^\P{L}*[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\u{10800}-\u{10fff}\u{1e800}-\u{1efff}]/u;

/** Return the direction of a block that holds blocks: `auto` ignores what has a direction of its own. */
export const directionOf = (text: string) =>
  RIGHT_TO_LEFT.test(text.replace(CODE, "")) ? "rtl" : "ltr";

function drawImage(token: Tokens.Image): ReactNode {
  const label = decodeEntities(token.text) || "image";
  if (!safeUrl(token.href)) return <span className="md-host">[image: {label}]</span>;
  return (
    <SafeLink href={token.href} label={label}>
      [image: {label}]
    </SafeLink>
  );
}

function drawInline(token: MarkdownToken): ReactNode {
  switch (token.type) {
    case "text":
      return token.tokens ? drawAll(token.tokens) : decodeEntities(token.text);
    case "escape":
      return token.text;
    case "strong":
      return <strong>{drawAll(token.tokens)}</strong>;
    case "em":
      return <em>{drawAll(token.tokens)}</em>;
    case "del":
      return <del>{drawAll(token.tokens)}</del>;
    case "codespan":
      return <code dir="ltr">{token.text}</code>;
    case "br":
      return <br />;
    case "link":
      return (
        <SafeLink href={token.href} label={token.text}>
          {drawAll(token.tokens)}
        </SafeLink>
      );
    case "image":
      return drawImage(token);
    case "checkbox":
      return token.checked ? "☑ " : "☐ ";
    case "math":
      return <Formula source={token.text} raw={token.raw} display={token.display} />;
    case "noteReference":
      return <NoteReferenceLink token={token} />;
    default:
      return token.raw;
  }
}

function drawAll(tokens: Token[]): ReactNode {
  return tokens.map((token, index) => <Inline key={index} token={token} />);
}

function Inline({ token }: { token: Token }): ReactNode {
  const names = useContext(MentionNames);
  if (!isMarkdownToken(token)) return token.raw;
  if (names && token.type === "text" && !token.tokens) {
    return <Mentions text={decodeEntities(token.text)} names={names} />;
  }
  return drawInline(token);
}

function drawList(list: Tokens.List, drawing: Drawing): ReactNode {
  const items = list.items.map((item, index) => (
    <li
      key={index}
      dir={item.loose ? directionOf(item.text) : "auto"}
      className={item.task ? "md-task" : undefined}
    >
      {item.tokens.map((token, i) => (
        <BlockToken key={i} token={token} drawing={drawing} />
      ))}
    </li>
  ));
  if (!list.ordered) return <ul>{items}</ul>;
  return <ol start={typeof list.start === "number" ? list.start : 1}>{items}</ol>;
}

function drawTable(table: Tokens.Table): ReactNode {
  // A cell of numbers runs as its table does.
  const direction = (cell: Tokens.TableCell) => (/\p{L}/u.test(cell.text) ? "auto" : undefined);
  const align = (cell: Tokens.TableCell) => (cell.align ? { textAlign: cell.align } : undefined);
  return (
    // A group, not a region: a page may hold many tables.
    <div
      role="group"
      dir={directionOf(table.raw)}
      className="md-table"
      tabIndex={0}
      aria-label="Table"
    >
      <table>
        <thead>
          <tr>
            {table.header.map((cell, index) => (
              <th key={index} scope="col" dir={direction(cell)} style={align(cell)}>
                {drawAll(cell.tokens)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {table.rows.map((row, r) => (
            <tr key={r}>
              {row.map((cell, index) => (
                <td key={index} dir={direction(cell)} style={align(cell)}>
                  {drawAll(cell.tokens)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function drawCode(token: Tokens.Code, drawing: Drawing): ReactNode {
  const language = (token.lang ?? "").trim().split(/[\s{:]/)[0] ?? "";
  const closed = !drawing.open || isClosedFence(token.raw);
  return (
    <CodeBlock code={token.text} language={language.toLowerCase().slice(0, 30)} closed={closed} />
  );
}

/** Draw a block-level token. Headings begin at h3, below those of the page and the message. */
export function BlockToken({ token, drawing }: { token: Token; drawing: Drawing }): ReactNode {
  if (!isMarkdownToken(token)) return token.raw;
  switch (token.type) {
    case "space":
    case "def":
    case "note":
      return null;
    case "hr":
      return <hr />;
    case "heading": {
      const level = Math.min(token.depth + 2, 6);
      return createElement(
        `h${level}`,
        { "data-depth": token.depth, dir: "auto" },
        drawAll(token.tokens),
      );
    }
    case "paragraph":
      return <p dir="auto">{drawAll(token.tokens)}</p>;
    case "blockquote":
      return (
        <blockquote dir={directionOf(token.text)}>
          {token.tokens.map((child, index) => (
            <BlockToken key={index} token={child} drawing={drawing} />
          ))}
        </blockquote>
      );
    case "list":
      return drawList(token, drawing);
    case "table":
      return drawTable(token);
    case "code":
      return drawCode(token, drawing);
    case "math":
      return (
        <p>
          <Formula source={token.text} raw={token.raw} display />
        </p>
      );
    default:
      return drawInline(token);
  }
}
