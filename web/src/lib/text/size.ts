// How long a message may be, counted as the server counts it: in bytes of UTF-8.
export const MAX_BYTES = 32_000;
const encoder = new TextEncoder();

export const byteLength = (text: string): number => encoder.encode(text).length;

/** What is wrong with the size of a text; empty when nothing is. */
export function sizeProblem(text: string): string {
  const bytes = text.length > MAX_BYTES / 4 ? byteLength(text) : 0;
  if (bytes <= MAX_BYTES) return "";
  return `Too long (${bytes.toLocaleString("en")} / ${MAX_BYTES.toLocaleString("en")} bytes). Your text is kept.`;
}
