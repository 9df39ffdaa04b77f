// How the self-test judges what it measured.
import { expect, test } from "vitest";
import { judgeSocket, judgeStream } from "./self-test";

test("events that come one by one are a stream", () => {
  expect(judgeStream([0, 200, 400, 610, 800])).toEqual({
    state: "ok",
    says: "Events come one by one, 210 ms apart at most.",
  });
});

test("events that come at once were buffered", () => {
  expect(judgeStream([1000, 1001, 1001, 1002, 1003]).state).toBe("warning");
});

test("a stream that breaks off fails", () => {
  expect(judgeStream([0, 200])).toEqual({ state: "down", says: "Only 2 of 5 events came." });
});

test("a socket is judged by the median of its round trips", () => {
  expect(judgeSocket([90, 2, 3, 4, 5]).says).toBe("Messages go there and back in 4 ms.");
  expect(judgeSocket([]).state).toBe("down");
});
