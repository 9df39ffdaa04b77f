// Marks the words of a search in a text: by prefix, ignoring case and accents. The text is cut into pieces and never
// becomes HTML.
import { useMemo } from "react";

const fold = (text: string): string =>
  text
    .normalize("NFD")
    .replace(/[\u0300-\u036f]/g, "")
    .toLocaleLowerCase("en")
    .normalize("NFC");

interface Piece {
  text: string;
  hit: boolean;
}

const CJK = /[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]/;

/** Cut a text into pieces. Returns them in their order; a piece that matches a word of the query is a hit. */
export function markWords(text: string, query: string): Piece[] {
  const words = fold(query).match(/[\p{L}\p{N}]+/gu);
  if (!words) return [{ text, hit: false }];
  const pieces: Piece[] = [];
  let at = 0;
  const push = (to: number, hit: boolean) => {
    if (to > at) pieces.push({ text: text.slice(at, to), hit });
    at = Math.max(at, to);
  };
  for (const match of text.matchAll(/[\p{L}\p{N}\p{M}]+/gu)) {
    const folded = fold(match[0]);
    if (words.some((word) => folded.startsWith(word))) {
      push(match.index, false);
      push(match.index + match[0].length, true);
      continue;
    }
    // Scripts without spaces: the match may begin inside the run of letters.
    const inside = CJK.test(folded)
      ? words.find((word) => CJK.test(word) && match[0].includes(word))
      : undefined;
    if (inside) {
      const start = match.index + match[0].indexOf(inside);
      push(start, false);
      push(start + inside.length, true);
    }
  }
  push(text.length, false);
  return pieces;
}

export function Highlight({ text, query }: { text: string; query: string }) {
  const pieces = useMemo(() => markWords(text, query), [text, query]);
  return pieces.map((piece, index) =>
    piece.hit ? <mark key={index}>{piece.text}</mark> : piece.text,
  );
}
