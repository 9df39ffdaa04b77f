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

test("another epoch loads the page anew, once, and says so once", () => {
  epoch.seeEpoch("a");
  for (const seen of ["b", "b", "a", "c"]) epoch.seeEpoch(seen);
  expect(reload).toHaveBeenCalledTimes(1);
  expect(epoch.wasRestored()).toBe(true);
  expect(epoch.wasRestored()).toBe(false);
});

test("a tab hears of it from another one", () => {
  const end = epoch.followEpochOfTabs();
  const tell = (key: string, newValue: string | null) =>
    window.dispatchEvent(new StorageEvent("storage", { key, newValue }));
  tell("tutordesk.epoch", "a"); // this one knows of none yet, so nothing it has is void
  epoch.seeEpoch("a");
  tell("tutordesk.other", "b");
  tell("tutordesk.epoch", null);
  expect(reload).not.toHaveBeenCalled();
  tell("tutordesk.epoch", "b");
  expect(reload).toHaveBeenCalledTimes(1);
  end();
});

test("drafts are left where they are", () => {
  localStorage.setItem("tutordesk.draft.chat", "kept");
  epoch.seeEpoch("a");
  epoch.seeEpoch("b");
  expect(localStorage.getItem("tutordesk.draft.chat")).toBe("kept");
});
