// Marks the words of a search in a text. The text is cut into pieces and never becomes HTML.
import { useMemo } from "react";
import { placesOf } from "@/lib/text/words";

interface Piece {
  text: string;
  hit: boolean;
}

/** Cut a text into pieces. Returns them in their order; a piece that matches a word of the query is a hit. */
export function markWords(text: string, query: string): Piece[] {
  const pieces: Piece[] = [];
  let at = 0;
  const push = (to: number, hit: boolean) => {
    if (to > at) pieces.push({ text: text.slice(at, to), hit });
    at = to;
  };
  for (const [start, end] of placesOf(text, query)) {
    push(start, false);
    push(end, true);
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
