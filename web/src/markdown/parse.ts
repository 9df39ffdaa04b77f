// Turns Markdown into blocks of marked's tokens. A growing text is lexed incrementally: only its last blocks are read
// again, and the result equals lexing the whole text (parse.test.ts proves it by fuzzing). A definition of a link
// changes earlier blocks, so those from the first one with brackets on are read again when it comes.
import type { Token } from "marked";
import { type Links, TextLexer } from "./syntax/lexer";
import { MAX_FORMULA_CHARS } from "./syntax/math";
import type { Note, NoteReference } from "./syntax/notes";
import { walk } from "./token";

export interface Block {
  /** Where the block begins in the text; with the type it identifies the block while it grows. */
  start: number;
  raw: string;
  tokens: Token[];
  /** All definitions of the text, if the block may refer to one. */
  links?: Links;
  /** The definitions inside the block. */
  definitions?: Links;
  references?: NoteReference[];
  notes?: Note[];
}

/** The number of last blocks that may still change when text is added. */
const OPEN_BLOCKS = 3;
/** The blocks that nothing is drawn for at their place. */
const UNDRAWN = new Set(["space", "def", "note"]);
// Labels are words of people, such as "constructor".
const noLinks = (): Links => Object.create(null) as Links;

export const isDrawn = (block: Block): boolean => !UNDRAWN.has(block.tokens[0]?.type ?? "");

/** Note what connects a block with others: definitions, notes and references. Brackets tell that there may be some. */
function connect(block: Block): Block {
  const definitions = noLinks();
  const references: NoteReference[] = [];
  const notes: Note[] = [];
  walk(block.tokens, (token) => {
    if (token.type === "def") definitions[token.tag] ??= { href: token.href, title: null };
    else if (token.type === "note") notes.push(token);
    else if (token.type === "noteReference") {
      token.id = `${block.start}-${references.length}`;
      references.push(token);
    }
  });
  if (Object.keys(definitions).length > 0) block.definitions = definitions;
  if (references.length > 0) block.references = references;
  if (notes.length > 0) block.notes = notes;
  return block;
}

/** Lex a text that begins at `start` and is preceded by definitions. */
function readBlocks(text: string, start: number, links: Links): Block[] {
  if (text === "") return [];
  const blocks: Block[] = [];
  let at = start;
  for (const token of new TextLexer(links).lex(text)) {
    const block: Block = { start: at, raw: token.raw, tokens: [token] };
    blocks.push(token.raw.includes("[") ? connect(block) : block);
    at += token.raw.length;
  }
  return blocks;
}

function linksOf(blocks: Block[]): Links {
  const links = noLinks();
  for (const { definitions } of blocks) {
    if (!definitions) continue;
    for (const label in definitions) links[label] ??= definitions[label] as Links[string];
  }
  return links;
}

function isSame(a: Links, b: Links): boolean {
  const labels = Object.keys(a);
  return (
    labels.length === Object.keys(b).length &&
    labels.every((label) => a[label]?.href === b[label]?.href)
  );
}

const mayRefer = (block: Block): boolean =>
  block.raw.includes("[") && block.tokens[0]?.type !== "def";

function mayOpenFormula(block: Block): boolean {
  const type = block.tokens[0]?.type;
  return type !== "code" && type !== "math" && /^ {0,3}(?:\$\$|\\\[)/m.test(block.raw);
}

export const normalise = (text: string): string => text.replace(/\r\n?|\u2028|\u2029/g, "\n");

export const parse = (text: string): Block[] => new IncrementalParser().update(text);

/** Parses one growing text. `update` returns its blocks; unchanged blocks are the same objects as before. */
export class IncrementalParser {
  private text = "";
  private blocks: Block[] = [];
  private links = noLinks();

  update(next: string): Block[] {
    const text = normalise(next);
    if (text === this.text) return this.blocks;
    let stable = text.startsWith(this.text) ? this.stableBlocks() : [];
    this.text = text;
    this.blocks = this.extend(stable);
    const links = linksOf(this.blocks);
    if (!isSame(links, this.links)) {
      this.links = links;
      const first = stable.findIndex(mayRefer);
      if (first >= 0) {
        stable = stable.slice(0, first);
        this.blocks = this.extend(stable);
      }
    }
    for (const block of this.blocks.slice(stable.length)) {
      if (mayRefer(block)) block.links = this.links;
    }
    return this.blocks;
  }

  private extend(stable: Block[]): Block[] {
    const last = stable.at(-1);
    const start = last ? last.start + last.raw.length : 0;
    return [...stable, ...readBlocks(this.text.slice(start), start, linksOf(stable))];
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

/** Return the block with the tokens of another text, which closes what the block leaves open. */
export function withText(block: Block, text: string): Block {
  return connect({ ...block, tokens: new TextLexer(block.links ?? noLinks()).lex(text) });
}

/** Return whether a fence has its closing line. An open fence is shown plain. */
export function isClosedFence(raw: string): boolean {
  const open = /^ {0,3}(`{3,}|~{3,})/.exec(raw)?.[1];
  if (!open) return true;
  const last = raw.trimEnd().split("\n").slice(1).at(-1)?.trim() ?? "";
  return last.length >= open.length && last === (open[0] ?? "").repeat(last.length);
}
