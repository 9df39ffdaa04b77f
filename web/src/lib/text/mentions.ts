// Finds names after an `@` by the server's rule: not inside a word, in any case, and the longer of two names that begin
// alike.
import { AFTER_MENTION, BEFORE_MENTION } from "./rules";

export interface MentionPiece {
  text: string;
  isMention: boolean;
}

const SYNTAX = /[\\^$.*+?()[\]{}|/]/g;

/** Cut a text at the names mentioned in it. Returns the pieces in their order, in Unicode's composed form. */
export function splitMentions(text: string, names: readonly string[]): MentionPiece[] {
  const composed = text.normalize("NFC");
  const longestFirst = names
    .filter((name) => name !== "")
    .map((name) => name.normalize("NFC").replace(SYNTAX, "\\$&"))
    .sort((first, second) => second.length - first.length);
  if (longestFirst.length === 0) return [{ text: composed, isMention: false }];
  const mention = new RegExp(
    `(${BEFORE_MENTION}(?:${longestFirst.join("|")})${AFTER_MENTION})`,
    "iu",
  );
  return composed
    .split(mention)
    .map((piece, index) => ({ text: piece, isMention: index % 2 === 1 }))
    .filter((piece) => piece.text !== "");
}
