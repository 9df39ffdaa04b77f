// Completing names: which candidates a text offers, and the text with the chosen one.
import { expect, test } from "vitest";
import type { RoomMember } from "@/lib/api/types";
import { type Candidate, type Completion, complete, completionAt } from "./completion";

const MEMBERS = ["Ana", "Ana Maria", "Bob Tanaka", "Me"].map(
  (name) => ({ user_id: name, name }) as RoomMember,
);
const candidateNames = (text: string, caret = text.length) =>
  completionAt(text, caret, MEMBERS, "Me")?.candidates.map(({ name }) => name) ?? null;

test.each([
  ["@", ["tutor", "Ana", "Ana Maria", "Bob Tanaka"]],
  ["ask @TU", ["tutor"]],
  ["@an", ["Ana", "Ana Maria"]],
  ["@ana m", ["Ana Maria"]],
  ["@tan", ["Bob Tanaka"]],
  ["@t", ["tutor", "Bob Tanaka"]],
  ["请问@tu", ["tutor"]],
  ["안녕@an", ["Ana", "Ana Maria"]],
])("%s offers %j", (text, names) => {
  expect(candidateNames(text)).toEqual(names);
});

test.each([
  "",
  "ana",
  "@me",
  "@ana ",
  "@bob tanaka",
  "@tutor",
  "@tutor why",
  "mail@ana",
  "@ ",
  "@nobody",
])("%j offers nothing", (text) => {
  expect(candidateNames(text)).toBeNull();
});

test("a name is completed at the caret, and the rest of the text stays", () => {
  const text = "hello @an, are you there?";
  expect(candidateNames(text, 5)).toBeNull();
  const completion = completionAt(text, 9, MEMBERS, "Me") as Completion;
  const chosen = completion.candidates[1] as Candidate;
  expect(complete(text, 9, completion, chosen)).toEqual({
    text: "hello @Ana Maria , are you there?",
    caret: 17,
  });
});
