// The rules for `*`, `**` and `~~` beside scripts without spaces (CommonMark's issue 650): `**重要：**请注意` is bold.
// A character of such a script counts as a letter inside the mark and as punctuation outside, so that it never keeps
// a mark from opening or closing. `_` needs no other rules, and one `~` strikes nothing, so that 100~200 is a range.
import { UNSPACED } from "./scripts";

const PUNCTUATION = `(?![~${UNSPACED}])[\\p{P}\\p{S}]`;
const LETTER = `(?:(?![${UNSPACED}])[^\\s\\p{P}\\p{S}]|~)`;
const WIDE = `[${UNSPACED}]`;

/** Return marked's search for the end of a mark. Its groups: 1, 2 close, 3, 4 open, 5, 6 do either. */
function closers(before: string, mark: string, run: string): RegExp {
  const inside = `(?!${mark})${PUNCTUATION}`;
  return new RegExp(
    `${before}[^${mark}]+(?=[^${mark}])` +
      `|${inside}(${run})(?=\\s|$)` +
      `|(?:${LETTER}(?=${run}(?:\\s|$|${inside}))|${WIDE}(?=${run}(?:\\s|$)))(${run})(?!${mark})` +
      `|(?:${inside}(?=${run}${LETTER})|\\s(?=${run}(?:${LETTER}|${WIDE})))(${run})` +
      `|\\s(${run})(?!${mark})(?=${PUNCTUATION})` +
      `|(?:${inside}|${WIDE})(${run})(?!${mark})(?=${PUNCTUATION}|${WIDE})` +
      `|(?:${LETTER}|${WIDE})(${run})(?=${LETTER}|${WIDE})`,
    "gu",
  );
}

export const EMPHASIS_RULES = {
  emStrongLDelim: new RegExp(
    `^(?:\\*+(?:((?!\\*)${PUNCTUATION})|([^\\s*]))?)|^_+(?:((?![_~])[\\p{P}\\p{S}])|([^\\s_]))?`,
    "u",
  ),
  emStrongRDelimAst: closers("^[^_*]*?__[^_*]*?\\*[^_*]*?(?=__)|", "\\*", "\\*+"),
  delLDelim: new RegExp(`^~~(?:((?!~)${PUNCTUATION})|[^\\s~])`, "u"),
  delRDelim: closers("", "~", "~~"),
};

const IS_WIDE = new RegExp(`^${WIDE}`, "u");

/** Return the character before a mark as the rules see it: one of a script without spaces is punctuation. */
export function characterBefore(src: string, maskedSrc: string, prevChar: string): string {
  const end = maskedSrc.length - src.length;
  const last = [...maskedSrc.slice(Math.max(0, end - 2), end)].at(-1) ?? "";
  return prevChar && IS_WIDE.test(last) ? "." : prevChar;
}
