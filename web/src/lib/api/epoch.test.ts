import { beforeEach, expect, test, vi } from "vitest";

const reload = vi.fn();
let epoch: typeof import("./epoch");

beforeEach(async () => {
  vi.resetModules();
  localStorage.clear();
  sessionStorage.clear();
  reload.mockReset();
  vi.stubGlobal("location", { reload });
  epoch = await import("./epoch");
});

test("the same epoch changes nothing", () => {
  for (const seen of ["a", "a", null, undefined, ""]) epoch.seeEpoch(seen);
  expect(reload).not.toHaveBeenCalled();
  expect(epoch.wasRestored()).toBe(false);
});

test("a changed epoch reloads the page once and is reported once", () => {
  epoch.seeEpoch("a");
  for (const seen of ["b", "b", "a", "c"]) epoch.seeEpoch(seen);
  expect(reload).toHaveBeenCalledTimes(1);
  expect(epoch.wasRestored()).toBe(true);
  expect(epoch.wasRestored()).toBe(false);
});

test("a tab reloads when another tab notices the change", () => {
  const end = epoch.followEpochOfTabs();
  const tell = (key: string, newValue: string | null) =>
    window.dispatchEvent(new StorageEvent("storage", { key, newValue }));
  tell("tutordesk.epoch", "a"); // this tab knows no epoch yet, so its data are current
  epoch.seeEpoch("a");
  tell("tutordesk.other", "b");
  tell("tutordesk.epoch", null);
  expect(reload).not.toHaveBeenCalled();
  tell("tutordesk.epoch", "b");
  expect(reload).toHaveBeenCalledTimes(1);
  end();
});

test("drafts stay", () => {
  localStorage.setItem("tutordesk.draft.chat", "kept");
  epoch.seeEpoch("a");
  epoch.seeEpoch("b");
  expect(localStorage.getItem("tutordesk.draft.chat")).toBe("kept");
});
