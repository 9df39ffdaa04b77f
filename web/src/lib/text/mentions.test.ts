// Names are mentioned as the server counts them.
import { expect, test } from "vitest";
import { splitMentions } from "./mentions";

const NAMES = ["Ana", "Ana Maria", "Bob", "tutor", "李 雷"];
const mentions = (text: string) =>
  splitMentions(text, NAMES)
    .filter((piece) => piece.isMention)
    .map((piece) => piece.text);

test.each([
  ["@ana hello", ["@ana"]],
  ["hello @Ana Maria!", ["@Ana Maria"]],
  ["@Tutor, @Bob: why?", ["@Tutor", "@Bob"]],
  ["@李 雷 你好", ["@李 雷"]],
  ["mail bob@Ana.example", []],
  ["@Anabel and @@Bob", []],
  ["@ Ana", []],
  ["see /@Bob and x.@Bob", []],
])("%s", (text, expected) => {
  expect(mentions(text)).toEqual(expected);
  expect(
    splitMentions(text, NAMES)
      .map((piece) => piece.text)
      .join(""),
  ).toBe(text);
});
