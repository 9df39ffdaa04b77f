// Which words of a text a search marks.
import { expect, test } from "vitest";
import { markWords } from "./highlight";

const marked = (text: string, query: string) =>
  markWords(text, query)
    .map((piece) => (piece.hit ? `[${piece.text}]` : piece.text))
    .join("");

test.each([
  ["Image upload error", "upl", "Image [upload] error"],
  ["Uploads fail", "upload", "[Uploads] fail"],
  ["Café crème", "cafe CREME", "[Café] [crème]"],
  ["cafe", "café", "[cafe]"],
  ["reupload", "upload", "reupload"],
  ["a <b>upload</b>", "upload b", "a <[b]>[upload]</[b]>"],
  ["nothing", "", "nothing"],
  ["nothing", "()[*", "nothing"],
  ["画像アップロード失敗", "アップ", "画像[アップ]ロード失敗"],
])("%j with %j", (text, query, expected) => {
  expect(marked(text, query)).toBe(expected);
});

test("pieces join to the text", () => {
  const text = "Ünïcode 👩‍👧 “quoted” e\u0301te";
  expect(
    markWords(text, "uni ete quo")
      .map((piece) => piece.text)
      .join(""),
  ).toBe(text);
});
