// A room's socket against a made-up WebSocket and clock: when it connects again, what it asks for, when it gives up.
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { RoomSocket, type RoomSocketHandlers, waitBefore } from "./room-socket";

class FakeSocket extends EventTarget {
  static made: FakeSocket[] = [];
  static readonly OPEN = 1;
  readyState = 0;
  sent: string[] = [];
  closedBy: number | null = null;
  constructor(readonly url: string) {
    super();
    FakeSocket.made.push(this);
  }
  open() {
    this.readyState = 1;
    this.dispatchEvent(new Event("open"));
  }
  say(event: object) {
    this.dispatchEvent(new MessageEvent("message", { data: JSON.stringify(event) }));
  }
  send(text: string) {
    this.sent.push(text);
  }
  close(code: number) {
    this.closedBy = code;
    this.readyState = 3;
  }
  end(code: number, reason = "") {
    this.readyState = 3;
    this.dispatchEvent(Object.assign(new Event("close"), { code, reason }));
  }
}

let seq = 7;
let socket: RoomSocket;
const handlers = {
  after: () => seq,
  onEvent: vi.fn(),
  onConnection: vi.fn(),
  onEnd: vi.fn(),
  onFlood: vi.fn(),
} satisfies RoomSocketHandlers;
const newest = () => FakeSocket.made.at(-1) as FakeSocket;
const made = () => FakeSocket.made.length;

beforeEach(async () => {
  vi.useFakeTimers();
  vi.spyOn(Math, "random").mockReturnValue(1);
  FakeSocket.made = [];
  seq = 7;
  socket = new RoomSocket("abc", handlers, FakeSocket);
  await vi.advanceTimersByTimeAsync(1);
  newest().open();
  newest().say({ type: "resumed", seq });
});
afterEach(() => {
  socket.close();
  vi.useRealTimers();
  vi.clearAllMocks();
});

test("it asks for events after the known seq, and reports when it is live", () => {
  expect(newest().url).toMatch(/^ws.*\/rooms\/abc\/socket\?after=7$/);
  expect(handlers.onConnection.mock.calls).toEqual([[true]]);
  expect(socket.send({ type: "typing" })).toBe(true);
  expect(newest().sent).toEqual(['{"type":"typing"}']);
});

test("a lost connection is resumed from the seq known then", async () => {
  seq = 9;
  newest().end(1006);
  expect(handlers.onConnection).toHaveBeenLastCalledWith(false);
  expect(socket.send({ type: "typing" })).toBe(false);
  await vi.advanceTimersByTimeAsync(600);
  expect(made()).toBe(2);
  expect(newest().url).toMatch(/after=9$/);
});

test("after a restart of the server it waits up to five seconds", async () => {
  newest().end(1012);
  await vi.advanceTimersByTimeAsync(4_900);
  expect(made()).toBe(1);
  await vi.advanceTimersByTimeAsync(200);
  expect(made()).toBe(2);
  expect(waitBefore(1012, 0, () => 0.5)).toBe(2_500);
});

test("it reconnects at once when the network comes back", async () => {
  newest().end(1012);
  await vi.advanceTimersByTimeAsync(1);
  window.dispatchEvent(new Event("online"));
  await vi.advanceTimersByTimeAsync(1);
  expect(made()).toBe(2);
});

test("35 s of silence are a lost connection, and 30 s are not", async () => {
  await vi.advanceTimersByTimeAsync(30_000);
  newest().say({ type: "presence", user_ids: [] });
  await vi.advanceTimersByTimeAsync(30_000);
  expect(made()).toBe(1);
  await vi.advanceTimersByTimeAsync(6_000);
  expect(FakeSocket.made[0]?.closedBy).toBe(1000);
  expect(made()).toBe(2);
});

test.each([4401, 4403, 4404])("after %d it never reconnects", async (code) => {
  newest().end(code, "why");
  await vi.advanceTimersByTimeAsync(60_000);
  expect(made()).toBe(1);
  expect(handlers.onEnd.mock.calls).toEqual([[code, "why"]]);
});

test("a flood is reported, and it reconnects after a while", async () => {
  newest().end(4429);
  expect(handlers.onFlood).toHaveBeenCalledOnce();
  await vi.advanceTimersByTimeAsync(19_000);
  expect(made()).toBe(1);
  await vi.advanceTimersByTimeAsync(1_100);
  expect(made()).toBe(2);
});

test("a closed socket stays closed", async () => {
  newest().end(1006);
  socket.close();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(made()).toBe(1);
});
