// Turns Markdown into blocks of marked's tokens. A growing text is lexed incrementally: only its last blocks are read
// again, and the result equals lexing the whole text (parse.test.ts proves it by fuzzing). Raw HTML is switched off in
// the lexer, so it stays text.
import { Marked, type Token } from "marked";
import remend from "remend";
import { MAX_FORMULA_CHARS, mathExtension } from "./math";
import type { PlainToken } from "./token";

export interface Block {
  /** Where the block begins in the text; with the type it identifies the block while it grows. */
  start: number;
  raw: string;
  tokens: Token[];
}

const marked = new Marked({ gfm: true, breaks: false });
marked.use(mathExtension, {
  tokenizer: {
    html: () => undefined,
    tag: () => undefined,
    def: () => undefined,
    reflink: () => undefined,
  },
});

/** The number of last blocks that may still change when text is added. */
const OPEN_BLOCKS = 3;
const MAX_LINE_CHARS = 20_000;
const MAX_DEPTH = 40;

/** Count the marks that make a parser look back, outside tables (their rows are lexed one by one). */
function countMarks(text: string): number {
  return text.startsWith("|") ? 0 : (text.match(/[[*_~`<$]|\\[[(]/g)?.length ?? 0);
}

/** Return whether a text is built to exhaust a parser. Such text is shown unchanged. */
function isHostile(text: string): boolean {
  if (/[[({<*_~`$!\\]{400,}/.test(text)) return true;
  if (/^[ \t]*(?:(?:>|[-+*]|\d{1,9}[.)])[ \t]*){40}/m.test(text)) return true;
  if (/^[ \t]{120,}(?:[-+*>]|\d{1,9}[.)])[ \t]/m.test(text)) return true;
  for (const line of text.split("\n")) {
    if (line.length > MAX_LINE_CHARS) return true;
    if (line.length > 800 && countMarks(line) > 400) return true;
  }
  return text.length > 4_000 && text.split(/\n[ \t]*\n/).some((part) => countMarks(part) > 3_000);
}

const plain = (raw: string): PlainToken => ({ type: "plain", raw });

function tooDeep(tokens: Token[] | undefined, depth: number): boolean {
  if (!tokens) return false;
  if (depth > MAX_DEPTH) return true;
  return tokens.some((token) => {
    const items = token.type === "list" ? token.items : undefined;
    return (
      tooDeep("tokens" in token ? token.tokens : undefined, depth + 1) || tooDeep(items, depth)
    );
  });
}

/** Lex a text. Returns top-level tokens whose raws join to the text; hostile text is one plain token. */
function lex(text: string): Token[] {
  if (text === "") return [];
  if (isHostile(text)) return [plain(text)];
  try {
    return marked.lexer(text).map((token) => (tooDeep([token], 0) ? plain(token.raw) : token));
  } catch {
    return [plain(text)];
  }
}

function toBlocks(text: string, offset: number): Block[] {
  const blocks: Block[] = [];
  const tokens = lex(text);
  let start = offset;
  for (const token of tokens) {
    blocks.push({ start, raw: token.raw, tokens: [token] });
    start += token.raw.length;
  }
  // If marked's raws do not add up, offsets would be wrong: then the whole text is one block.
  return start === offset + text.length ? blocks : [{ start: offset, raw: text, tokens }];
}

function mayOpenFormula(block: Block): boolean {
  const type = block.tokens[0]?.type;
  return type !== "code" && type !== "math" && /^ {0,3}(?:\$\$|\\\[)/m.test(block.raw);
}

export const normalise = (text: string): string => text.replace(/\r\n?|\u2028|\u2029/g, "\n");

export function parse(text: string): Block[] {
  return toBlocks(normalise(text), 0);
}

/** Parses one growing text. `update` returns its blocks; unchanged blocks are the same objects as before. */
export class IncrementalParser {
  private text = "";
  private blocks: Block[] = [];

  update(next: string): Block[] {
    const text = normalise(next);
    if (text === this.text) return this.blocks;
    if (this.text === "" || !text.startsWith(this.text)) this.blocks = [];
    const stable = this.stableBlocks();
    const last = stable.at(-1);
    const from = last ? last.start + last.raw.length : 0;
    const fresh = toBlocks(text.slice(from), from);
    this.text = text;
    const gaveUp =
      fresh[0]?.tokens[0]?.type === "plain" && from + fresh[0].raw.length === text.length;
    this.blocks = gaveUp ? toBlocks(text, 0) : [...stable, ...fresh];
    return this.blocks;
  }

  /** Return the blocks that no further text can change. */
  private stableBlocks(): Block[] {
    let open = 0;
    let end = this.blocks.length;
    while (end > 0 && open < OPEN_BLOCKS) {
      end -= 1;
      if (this.blocks[end]?.tokens[0]?.type !== "space") open += 1;
    }
    // An opening $$ or \[ that is not closed may still swallow every block after it.
    const limit = this.text.length - MAX_FORMULA_CHARS - 8;
    for (let i = end - 1; i >= 0; i--) {
      const block = this.blocks[i];
      if (!block || block.start + block.raw.length < limit) break;
      if (mayOpenFormula(block)) end = i;
    }
    while (end > 0 && this.blocks[end - 1]?.tokens[0]?.type === "space") end -= 1;
    return this.blocks.slice(0, end);
  }
}

const OPEN_ENDED = new Set(["paragraph", "list", "heading", "blockquote", "text", "table"]);

/** Close what the last block of a growing text leaves open, so that `**bo` shows as bold at once. */
export function closeOpenBlock(block: Block): Block {
  const token = block.tokens[0];
  if (!token || !OPEN_ENDED.has(token.type)) return block;
  const closed = remend(block.raw, {
    katex: false,
    inlineKatex: false,
    htmlTags: false,
    setextHeadings: false,
    linkMode: "text-only",
  });
  return closed === block.raw ? block : { ...block, tokens: lex(closed) };
}

/** Return whether a fence has its closing line. An open fence is shown plain. */
export function isClosedFence(raw: string): boolean {
  const open = /^ {0,3}(`{3,}|~{3,})/.exec(raw)?.[1];
  if (!open) return true;
  const last = raw.trimEnd().split("\n").slice(1).at(-1)?.trim() ?? "";
  return last.length >= open.length && last === (open[0] ?? "").repeat(last.length);
}
