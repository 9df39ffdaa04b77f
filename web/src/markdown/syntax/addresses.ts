// Addresses: which ones may be a link, and where one ends that stands in a sentence without marks.
import { decodeEntities } from "./entities";
import { UNSPACED } from "./scripts";

/** Return the URL of a Markdown link, or null if it is not safe to offer. */
export function safeUrl(href: string): URL | null {
  const text = decodeEntities(href).trim();
  if (!/^(?:https?:\/\/|mailto:)/i.test(text)) return null;
  try {
    const url = new URL(text);
    return /^(?:https?|mailto):$/.test(url.protocol) ? url : null;
  } catch {
    return null;
  }
}

const START = /^(?:https?:\/\/|www\.)/i;
// Letters without spaces belong to an address only where a part of it begins with them: `/wiki/数学` and `例え.jp`
// do, in `/a然后继续` a sentence goes on, as in `/をご覧`, since no word begins with を. Their punctuation and quotation marks always end it.
const REST = new RegExp(
  `^(?:(?![${UNSPACED}“”„«»‹›])[^\\s<]|(?<=[/.=#_&?:@+%(\\-${UNSPACED}])(?!(?<=/)を|[\\p{P}\\p{S}])[${UNSPACED}])+`,
  "u",
);
const ENTITY_AT_END = /&[a-z0-9]{1,31};$/i;
const MARK_AT_END = /(?:[?!.,:;*_'"~]|[^\P{P}\x21-\x7e])$/u;

/** Remove what belongs to the sentence: marks, entities, and parentheses that were not opened inside. */
function withoutEnd(text: string): string {
  let open = text.split("(").length - text.split(")").length;
  let rest = text;
  for (;;) {
    const end = (ENTITY_AT_END.exec(rest.slice(-33)) ?? MARK_AT_END.exec(rest.slice(-2)))?.[0];
    if (end) rest = rest.slice(0, -end.length);
    else if (open < 0 && rest.endsWith(")")) {
      rest = rest.slice(0, -1);
      open += 1;
    } else return rest;
  }
}

/** Return the web address that the text begins with, or undefined. */
export function addressAt(src: string): string | undefined {
  const start = START.exec(src)?.[0];
  if (!start) return undefined;
  // The slash is what the look-behind needs to see before the first letter.
  const rest = REST.exec(`/${src.slice(start.length)}`)?.[0].slice(1) ?? "";
  const address = withoutEnd(start + rest);
  return /^[\p{L}\p{N}]/u.test(address.slice(start.length)) ? address : undefined;
}
