// The menu by keyboard: what opens and closes it, where the focus goes, which entry a key leads to.
import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test, vi } from "vitest";
import { entryFor, Menu } from "./menu";

const labels = ["Rename", "Export as Markdown", "Export as JSON", "Delete"];

test.each([
  ["ArrowDown", 3, 0],
  ["ArrowUp", 0, 3],
  ["Home", 2, 0],
  ["End", 0, 3],
  ["e", 0, 1],
  ["E", 1, 2],
  ["e", 2, 1],
  ["x", 0, null],
  ["Shift", 0, null],
])("%s from entry %i leads to %s", (key, from, to) => {
  expect(entryFor(key, from, labels)).toBe(to);
});

test("opens at its first entry, runs what is chosen, and gives the focus back", async () => {
  const run = vi.fn();
  const entries = labels.map((label) => ({ label, run: () => run(label) }));
  render(<Menu label="More" entries={entries} />);
  const user = userEvent.setup();
  const button = screen.getByRole("button", { name: "More" });
  expect(button).toHaveAttribute("aria-expanded", "false");
  button.focus();
  await user.keyboard("{Enter}");
  expect(button).toHaveAttribute("aria-expanded", "true");
  expect(screen.getByText("Rename")).toHaveFocus();
  await user.keyboard("{ArrowUp}{Enter}");
  expect(run.mock.calls).toEqual([["Delete"]]);
  expect(screen.queryByRole("menu")).toBeNull();
  expect(button).toHaveFocus();
  await user.keyboard("{ArrowDown}{Escape}");
  expect(screen.queryByRole("menu")).toBeNull();
  expect(button).toHaveFocus();
  expect(run).toHaveBeenCalledTimes(1);
});
