// Footnotes: `[^1]` in the text, and `[^1]: The note.` with its further lines, and further paragraphs indented by four.
import type { Lexer, Token, Tokens } from "marked";

export interface NoteReference extends Tokens.Generic {
  type: "noteReference";
  label: string;
  /** Tells the references of a text apart, for the links back. */
  id: string;
}

/** A note. It is drawn at the end of the text. */
export interface Note extends Tokens.Generic {
  type: "note";
  label: string;
  tokens: Token[];
}

const REFERENCE = /^\[\^([^\]\s[]{1,60})\](?![([])/;
const NOTE = /^ {0,3}\[\^([^\]\s[]{1,60})\]:[ \t]*/;
const NEW_BLOCK =
  /^ {0,3}(?:[-+*][ \t]|\d{1,9}[.)][ \t]|[>|[]|#{1,6}[ \t]|`{3}|~{3}|\$\$|\\\[|(?:(?:-[ \t]*){3,}|(?:_[ \t]*){3,}|(?:\*[ \t]*){3,})$)/;
const INDENTED = /^(?: {4}|\t)/;

export const normaliseLabel = (label: string): string => label.toLowerCase();

export function noteReference(src: string): NoteReference | undefined {
  const match = src.startsWith("[^") ? REFERENCE.exec(src) : null;
  if (!match) return undefined;
  return {
    type: "noteReference",
    raw: match[0],
    label: normaliseLabel(match[1] ?? ""),
    id: "",
  };
}

/** Return the length of a note's text: its first line, lines that go on, and indented ones after blank lines. */
function noteLength(src: string): number {
  let end = src.indexOf("\n");
  if (end < 0) return src.length;
  let at = end + 1;
  let afterBlank = false;
  while (at < src.length) {
    const next = src.indexOf("\n", at);
    const lineEnd = next < 0 ? src.length : next;
    const line = src.slice(at, lineEnd);
    if (line.trim() === "") afterBlank = true;
    else if (INDENTED.test(line) || (!afterBlank && !NEW_BLOCK.test(line))) {
      end = lineEnd;
      afterBlank = false;
    } else break;
    at = lineEnd + 1;
  }
  return end;
}

/** Read a note, whose text is lexed as blocks of its own. */
export function note(lexer: Lexer, src: string): Note | undefined {
  const start = NOTE.exec(src);
  if (!start) return undefined;
  const raw = src.slice(0, noteLength(src));
  const text = raw.slice(start[0].length).replace(/\n(?: {4}|\t)/g, "\n");
  const isTop = lexer.state.top;
  lexer.state.top = true;
  const tokens = lexer.blockTokens(text, []);
  lexer.state.top = isTop;
  return { type: "note", raw, label: normaliseLabel(start[1] ?? ""), tokens };
}
