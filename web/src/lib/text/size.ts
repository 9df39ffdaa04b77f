// Limits the length of a message, counted as the server counts it: in bytes of UTF-8.
export const MAX_BYTES = 32_000;
const encoder = new TextEncoder();

export const byteLength = (text: string): number => encoder.encode(text).length;

/** Return what is wrong with the size of a text, or "" if it fits. */
export function sizeProblem(text: string): string {
  const bytes = text.length > MAX_BYTES / 4 ? byteLength(text) : 0;
  if (bytes <= MAX_BYTES) return "";
  return `Your message is ${bytes.toLocaleString("en")} bytes; the limit is ${MAX_BYTES.toLocaleString("en")}. Shorten it.`;
}
