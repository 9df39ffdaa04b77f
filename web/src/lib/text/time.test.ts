// Times in words.
import { expect, test } from "vitest";
import { dayGroup, exactTime, relativeTime } from "./time";

const now = new Date(2026, 10, 21, 12, 0, 0).getTime();
const ago = (ms: number) => new Date(now - ms).toISOString();
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

test.each([
  [ago(3_000), "just now"],
  [ago(-5_000), "just now"],
  [ago(4 * MINUTE), "4 min ago"],
  [ago(59.6 * MINUTE), "1 h ago"],
  [ago(5 * HOUR), "5 h ago"],
  [ago(DAY), "yesterday"],
  [ago(3 * DAY), "3 days ago"],
  [ago(9 * DAY), "12 Nov"],
  [ago(400 * DAY), "17 Oct 2025"],
  ["nonsense", ""],
])("%s is %j", (at, expected) => {
  expect(relativeTime(at, now)).toBe(expected);
});

test("exact times and day groups", () => {
  expect(exactTime("nonsense")).toBe("");
  expect(exactTime(ago(0))).toContain("2026");
  expect(dayGroup(ago(HOUR), now)).toBe("Today");
  expect(dayGroup(ago(DAY), now)).toBe("Yesterday");
  expect(dayGroup(ago(60 * DAY), now)).toBe("Older");
});
