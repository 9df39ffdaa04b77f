// A draft moves with its field to another place, whether or not it was saved already.
import { act, renderHook } from "@testing-library/react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { readDraft, writeDraft } from "./drafts";
import { useDraft } from "./use-draft";

beforeEach(() => {
  localStorage.clear();
  vi.useFakeTimers();
});
afterEach(() => vi.useRealTimers());

const show = () => renderHook(({ key }) => useDraft(key), { initialProps: { key: "new" } });
const draftOf = (key: string) => readDraft<string>(key)?.value;

test.each([
  ["saved", 1_000],
  ["not saved yet", 10],
])("a draft whose last letter is %s moves as a whole", (_, ms) => {
  const { result, rerender } = show();
  act(() => result.current.change("Before "));
  act(() => void vi.advanceTimersByTime(1_000));
  act(() => result.current.change("Before a"));
  act(() => void vi.advanceTimersByTime(ms));
  rerender({ key: "chat" });
  expect(draftOf("new")).toBeUndefined();
  expect(draftOf("chat")).toBe("Before a");
  expect(result.current.text).toBe("Before a");
  act(() => void vi.advanceTimersByTime(1_000));
  expect(draftOf("new")).toBeUndefined();
});

test("what another tab has written since stays", () => {
  const { result, rerender } = show();
  act(() => result.current.change("Mine"));
  act(() => void vi.advanceTimersByTime(1_000));
  writeDraft("new", "Theirs");
  rerender({ key: "chat" });
  expect(draftOf("new")).toBe("Theirs");
  expect(draftOf("chat")).toBe("Mine");
});

test("a field that closes saves its last letters, and a sent text leaves nothing", () => {
  const closed = show();
  closed.result.current.change("Half a w");
  closed.unmount();
  expect(draftOf("new")).toBe("Half a w");
  const { result } = show();
  expect(result.current.text).toBe("Half a w");
  act(() => result.current.sent());
  expect(draftOf("new")).toBeUndefined();
  expect(result.current.text).toBe("");
});
