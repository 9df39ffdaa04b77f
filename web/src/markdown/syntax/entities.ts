// Decodes the HTML entities that people write in Markdown. marked leaves them in its tokens because its own
// output is HTML; ours is React text, where they must be characters. The browser knows all names, so the
// library asks it, and no table is loaded.
import { decodeNamedCharacterReference } from "decode-named-character-reference";
import { decodeNumericCharacterReference } from "micromark-util-decode-numeric-character-reference";

const ENTITY = /&(?:#x([0-9a-f]{1,6})|#(\d{1,7})|([a-z][a-z0-9]{1,31}));/gi;

/** Replace each entity by its character. Returns the text with unknown entities unchanged. */
export function decodeEntities(text: string): string {
  return text.replace(ENTITY, (entity, hex?: string, decimal?: string, name?: string) => {
    if (hex) return decodeNumericCharacterReference(hex, 16);
    if (decimal) return decodeNumericCharacterReference(decimal, 10);
    return (name && decodeNamedCharacterReference(name)) || entity;
  });
}
