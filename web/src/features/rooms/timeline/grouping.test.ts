// Days, groups of one author, the first new message, and the words for members who type.
import { expect, test } from "vitest";
import type { RoomMessage } from "@/lib/api/types";
import { firstNew } from "../model/room-state";
import { typingWords } from "../model/typing";
import { dayName, linesOf } from "./grouping";

let seq = 0;
function messageAt(at: string, part: Partial<RoomMessage> = {}): RoomMessage {
  seq += 1;
  const base = { id: `m${seq}`, seq, user_id: "ana", name: "Ana", is_agent: false };
  return { ...base, created_at: at, deleted_at: null, ...part } as RoomMessage;
}
const heads = (messages: RoomMessage[], newId: string | null = null) =>
  linesOf(messages, newId).map(({ isHead }) => isHead);

test("messages of one author within five minutes are one group", () => {
  const messages = [
    messageAt("2026-11-25T12:00:00"),
    messageAt("2026-11-25T12:04:00"),
    messageAt("2026-11-25T12:09:30"),
    messageAt("2026-11-25T12:10:00", { user_id: "bob", name: "Bob" }),
    messageAt("2026-11-25T12:10:10"),
  ];
  expect(heads(messages)).toEqual([true, false, true, true, true]);
});

test("the tutor, another name of the same person and a new day begin a group", () => {
  const agent = { user_id: null, is_agent: true, name: "Tutor" };
  const messages = [
    messageAt("2026-11-25T23:58:00", agent),
    messageAt("2026-11-25T23:58:10", agent),
    messageAt("2026-11-25T23:59:00"),
    messageAt("2026-11-25T23:59:10", { name: "Anna" }),
    messageAt("2026-11-26T00:00:10", { name: "Anna" }),
  ];
  expect(heads(messages)).toEqual([true, true, true, true, true]);
  expect(linesOf(messages, null).map(({ day }) => day !== null)).toEqual([
    true,
    false,
    false,
    false,
    true,
  ]);
});

test("new messages begin at the first one by somebody else that is not deleted", () => {
  const messages = [
    messageAt("2026-11-25T12:00:00", { user_id: "bob" }),
    messageAt("2026-11-25T12:00:10"),
    messageAt("2026-11-25T12:00:20", { user_id: "bob", deleted_at: "2026-11-25T12:01:00" }),
    messageAt("2026-11-25T12:00:30", { user_id: "bob" }),
  ];
  const newAfter = messages[0]?.seq ?? 0;
  expect(firstNew(messages, newAfter, "ana")?.id).toBe(messages[3]?.id);
  expect(firstNew(messages, newAfter + 3, "ana")).toBeNull();
  expect(heads(messages, messages[3]?.id)[3]).toBe(true);
});

test("recent days have names, older ones a date", () => {
  const now = Date.parse("2026-11-25T12:00:00");
  expect(dayName("2026-11-25T00:10:00", now)).toBe("Today");
  expect(dayName("2026-11-24T23:50:00", now)).toBe("Yesterday");
  expect(dayName("2026-11-09T12:00:00", now)).toBe("Monday 9 November");
  expect(dayName("2025-11-09T12:00:00", now)).toBe("Sunday 9 November 2025");
});

test.each([
  [[], ""],
  [["Ana"], "Ana is typing"],
  [["Ana", "Bob"], "Ana and Bob are typing"],
  [["Ana", "Bob", "Chen"], "Ana, Bob and Chen are typing"],
  [["Ana", "Bob", "Chen", "Dee"], "Ana, Bob, Chen and others are typing"],
])("%j type", (names, words) => {
  expect(typingWords(names)).toBe(words);
});
