// The tokens that are drawn. marked's `Token` includes `Tokens.Generic`, which stands for any extension's tokens and
// where every field is `any`; this union names the extensions instead.
import type { MarkedToken, Token } from "marked";
import type { MathToken } from "./syntax/math";
import type { Note, NoteReference } from "./syntax/notes";

export type MarkdownToken = MarkedToken | MathToken | Note | NoteReference;

const TYPES: Record<MarkdownToken["type"], true> = {
  blockquote: true,
  br: true,
  checkbox: true,
  code: true,
  codespan: true,
  def: true,
  del: true,
  em: true,
  escape: true,
  heading: true,
  hr: true,
  html: true,
  image: true,
  link: true,
  list: true,
  list_item: true,
  math: true,
  note: true,
  noteReference: true,
  paragraph: true,
  space: true,
  strong: true,
  table: true,
  text: true,
};

export const isMarkdownToken = (token: Token): token is MarkdownToken =>
  Object.hasOwn(TYPES, token.type);

/** Call `visit` with each token and all tokens inside it, in the order of the text. */
export function walk(tokens: Token[], visit: (token: MarkdownToken) => void): void {
  for (const token of tokens) {
    if (!isMarkdownToken(token)) continue;
    visit(token);
    if (token.type === "table") {
      for (const cell of [...token.header, ...token.rows.flat()]) walk(cell.tokens, visit);
    } else if (token.type === "list") walk(token.items, visit);
    else if ("tokens" in token && token.tokens) walk(token.tokens, visit);
  }
}
