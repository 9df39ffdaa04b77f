// Finds the words of a query in a text as the server does (ground/words.py), without differences of case, width, accents
// and strokes: words that begin like one of the query's, and in scripts without spaces the query's own characters.
import { DECORATION, STROKES, UNSPACED } from "./rules";

const DECORATIONS = new RegExp(DECORATION, "gu");
const SPACED = `(?:(?![${UNSPACED}])[\\p{L}\\p{N}\\p{M}])`;
const WORDS = new RegExp(`[${UNSPACED}][${UNSPACED}\\p{M}]*|${SPACED}+`, "gu");
const IS_UNSPACED = new RegExp(`^[${UNSPACED}]`, "u");
const ENDS_IN_WORD = new RegExp(`${SPACED}$`, "u");
const REST_OF_WORD = new RegExp(`${SPACED}*`, "uy");
const LETTERS = /\P{M}\p{M}*|\p{M}+/gu;

function fold(text: string): string {
  return text
    .toLowerCase()
    .replaceAll("ß", "ss")
    .normalize("NFKD")
    .replace(DECORATIONS, "")
    .replace(/[^\0-\x7f]/gu, (letter) => STROKES[letter] ?? letter)
    .normalize("NFC");
}

/** Return the places [start, end) that match a word of the query, in order and apart from each other. */
export function placesOf(text: string, query: string): [number, number][] {
  const words = new Set(fold(query).match(WORDS));
  if (words.size === 0) return [];
  // Each unit of the folded text comes from one letter of the text, which begins and ends at these places.
  let folded = "";
  const starts: number[] = [];
  const ends: number[] = [];
  for (const { 0: letter, index } of text.matchAll(LETTERS)) {
    const plain = fold(letter);
    folded += plain;
    for (let unit = 0; unit < plain.length; unit++) {
      starts.push(index);
      ends.push(index + letter.length);
    }
  }
  const places: [number, number][] = [];
  for (const word of words) {
    const isUnspaced = IS_UNSPACED.test(word);
    let at = folded.indexOf(word);
    for (; at >= 0; at = folded.indexOf(word, at + 1)) {
      if (!isUnspaced && ENDS_IN_WORD.test(folded.slice(0, at))) continue;
      REST_OF_WORD.lastIndex = at + word.length;
      const rest = isUnspaced ? 0 : (REST_OF_WORD.exec(folded)?.[0].length ?? 0);
      places.push([starts[at] ?? 0, ends[at + word.length + rest - 1] ?? text.length]);
    }
  }
  return merged(places.sort(([first], [second]) => first - second));
}

function merged(places: [number, number][]): [number, number][] {
  const apart: [number, number][] = [];
  for (const [start, end] of places) {
    const last = apart.at(-1);
    if (last && start <= last[1]) last[1] = Math.max(last[1], end);
    else apart.push([start, end]);
  }
  return apart;
}
