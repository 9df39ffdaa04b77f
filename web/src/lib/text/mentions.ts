// Names after an `@`, read as the server reads them (api/rooms/messages.py): not inside a word, whatever the
// case, and of two names that begin alike the longer one.
export interface MentionPiece {
  text: string;
  isMention: boolean;
}

const PLACE = /(?<![\w@/.])@(?=\S)/gu;
const LETTER = /^[\p{L}\p{N}]/u;

/** Cuts a text at the names mentioned in it. */
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
    const found = names
      .filter(
        (name) =>
          name !== "" &&
          folded.startsWith(name.toLocaleLowerCase("en")) &&
          !LETTER.test(follows.slice(name.length)),
      )
      .sort((one, other) => other.length - one.length)[0];
    if (found === undefined) continue;
    push(index, false);
    push(index + 1 + found.length, true);
  }
  push(text.length, false);
  return pieces;
}
