// Finds names after an `@` as the server does (tutordesk/rooms/messages.py): not inside a word, in any case, and the
// longer of two names that begin alike.
export interface MentionPiece {
  text: string;
  isMention: boolean;
}

const PLACE = /(?<![\w@/.])@(?=\S)/gu;
const LETTER = /^[\p{L}\p{N}]/u;

/** Cut a text at the names mentioned in it. Returns the pieces in their order. */
export function splitMentions(text: string, names: readonly string[]): MentionPiece[] {
  const pieces: MentionPiece[] = [];
  let at = 0;
  const push = (to: number, isMention: boolean) => {
    if (to > at) pieces.push({ text: text.slice(at, to), isMention });
    at = to;
  };
  for (const { index } of text.matchAll(PLACE)) {
    if (index < at) continue;
    const follows = text.slice(index + 1, index + 62);
    const folded = follows.toLocaleLowerCase("en");
    const mentioned = names
      .filter(
        (name) =>
          name !== "" &&
          folded.startsWith(name.toLocaleLowerCase("en")) &&
          !LETTER.test(follows.slice(name.length)),
      )
      .sort((first, second) => second.length - first.length)[0];
    if (mentioned === undefined) continue;
    push(index, false);
    push(index + 1 + mentioned.length, true);
  }
  push(text.length, false);
  return pieces;
}
