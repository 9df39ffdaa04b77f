// Names are mentioned as the server counts them: both sides read one file of cases.
import { expect, test } from "vitest";
import file from "../../../../api/testing/mentions.json";
import { splitMentions } from "./mentions";

test.each(file.cases)("$text", ({ text, mentions }) => {
  const pieces = splitMentions(text, file.names);
  const found = pieces
    .filter((piece) => piece.isMention)
    .map((piece) => piece.text.slice(1).toLowerCase());
  expect([...new Set(found)]).toEqual(mentions.map((name) => name.toLowerCase()));
  expect(pieces.map((piece) => piece.text).join("")).toBe(text.normalize("NFC"));
});
