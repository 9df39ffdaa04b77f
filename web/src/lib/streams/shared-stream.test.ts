// Which tab reads, and what happens when it closes or another tab claims its stream.
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { FakeLocks } from "@/test/locks";
import { isAbort, SharedStream } from "./shared-stream";

const open: SharedStream<string>[] = [];
function tab(onMessage: (message: string) => void = () => undefined) {
  const stream = new SharedStream<string>("test", onMessage);
  open.push(stream);
  return stream;
}

/** Reads until its signal ends, and notes who began. */
function reading(name: string, began: string[]) {
  return (signal: AbortSignal, waited: boolean) =>
    new Promise<string>((resolve) => {
      began.push(waited ? `${name} after another` : name);
      signal.addEventListener("abort", () => resolve(name));
    });
}

beforeEach(() => vi.stubGlobal("navigator", { locks: new FakeLocks() }));
afterEach(() => {
  for (const stream of open.splice(0)) stream.close();
  vi.unstubAllGlobals();
});

test("one tab reads; the next takes over when it ends", async () => {
  const began: string[] = [];
  const [first, second] = [new AbortController(), new AbortController()];
  const done = tab().lead(reading("one", began), { signal: first.signal });
  void tab().lead(reading("two", began), { signal: second.signal });
  await vi.waitFor(() => expect(began).toEqual(["one"]));
  first.abort();
  expect(await done).toBe("one");
  await vi.waitFor(() => expect(began).toEqual(["one", "two after another"]));
});

test("what one tab posts reaches the others, not itself", async () => {
  const heard: string[] = [];
  const one = tab((message) => heard.push(`one: ${message}`));
  tab((message) => heard.push(`two: ${message}`));
  one.post("hello");
  one.post("again");
  await vi.waitFor(() => expect(heard).toEqual(["two: hello", "two: again"]));
});

test("a claim ends the reading of the tab that had it", async () => {
  const began: string[] = [];
  const { signal } = new AbortController();
  const overruled = tab().lead(reading("one", began), { signal });
  await vi.waitFor(() => expect(began).toEqual(["one"]));
  void tab().lead(reading("two", began), { signal, claim: true });
  const error = await overruled.catch((reason: unknown) => reason);
  expect(isAbort(error)).toBe(true);
  expect(began).toEqual(["one", "two"]);
});

test("a tab that stops waiting never reads", async () => {
  const began: string[] = [];
  const [first, second] = [new AbortController(), new AbortController()];
  void tab().lead(reading("one", began), { signal: first.signal });
  const waiting = tab().lead(reading("two", began), { signal: second.signal });
  await vi.waitFor(() => expect(began).toEqual(["one"]));
  second.abort();
  expect(isAbort(await waiting.catch((reason: unknown) => reason))).toBe(true);
  first.abort();
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(began).toEqual(["one"]);
});

test("without locks every tab reads for itself and posts nothing", async () => {
  vi.stubGlobal("navigator", {});
  const began: string[] = [];
  const heard: string[] = [];
  const { signal } = new AbortController();
  const one = tab((message) => heard.push(message));
  const two = tab((message) => heard.push(message));
  void one.lead(reading("one", began), { signal });
  void two.lead(reading("two", began), { signal });
  one.post("hello");
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(began).toEqual(["one", "two"]);
  expect(heard).toEqual([]);
});
