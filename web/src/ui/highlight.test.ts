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
  ["上传图片失败", "上传", "[上传]图片失败"],
  ["上传图片失败", "失败 上传", "[上传]图片[失败]"],
  ["子猫の猫", "猫", "子[猫]の[猫]"],
  ["วิธีทำการบ้าน", "การบ้าน", "วิธีทำ[การบ้าน]"],
  ["हिन्दी की किताब", "की", "हिन्दी [की] किताब"],
  ["in der Straße hier", "strasse", "in der [Straße] hier"],
  ["STRASSE", "straße", "[STRASSE]"],
  ["Łódź, đại học", "lodz dai", "[Łódź], [đại] học"],
  ["İstanbul", "istanbul", "[İstanbul]"],
  ["ＡＢＣ wide", "abc", "[ＡＢＣ] wide"],
  ["用Python上传", "python", "用[Python]上传"],
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
