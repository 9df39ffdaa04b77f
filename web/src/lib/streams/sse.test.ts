// The stream reader against bytes cut anywhere, comments, silence and lost connections.
import { describe, expect, test, vi } from "vitest";
import { backoff, ConnectionLost, pause, readEvents, type ServerEvent } from "./sse";

const TEXT =
  ': ok\n\nevent: message_delta\nid: 3\ndata: {"delta":"é👩‍👧"}\n\n:ping\r\n\r\n' +
  'event: message_delta\r\nid: 7\r\ndata: {"delta":"漢"}\r\n\r\nevent: done\ndata: {}\n\n';
const EXPECTED: ServerEvent[] = [
  { event: "message_delta", id: "3", data: '{"delta":"é👩‍👧"}' },
  { event: "message_delta", id: "7", data: '{"delta":"漢"}' },
  { event: "done", id: undefined, data: "{}" },
];

function responseOf(chunks: Uint8Array[], close = true): Response {
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(chunk);
      if (close) controller.close();
    },
  });
  return { body } as Response;
}

async function collect(response: Response): Promise<ServerEvent[]> {
  const events: ServerEvent[] = [];
  await readEvents(response, (event) => {
    events.push(event);
    return undefined;
  });
  return events;
}

describe("readEvents", () => {
  test("every way to cut the bytes in two gives the same events", async () => {
    const bytes = new TextEncoder().encode(TEXT);
    for (let at = 0; at <= bytes.length; at++) {
      const events = await collect(responseOf([bytes.slice(0, at), bytes.slice(at)]));
      expect(events, `cut at ${at}`).toEqual(EXPECTED);
    }
  });

  test("byte by byte", async () => {
    const bytes = new TextEncoder().encode(TEXT);
    const chunks = Array.from(bytes, (byte) => new Uint8Array([byte]));
    expect(await collect(responseOf(chunks))).toEqual(EXPECTED);
  });

  test("ends when the handler says so, and releases the body", async () => {
    const cancelled = vi.fn();
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => controller.enqueue(new TextEncoder().encode(TEXT)),
      cancel: cancelled,
    });
    await readEvents({ body } as Response, ({ id }) => id === "3");
    expect(cancelled).toHaveBeenCalled();
  });

  test("silence counts as a lost connection", async () => {
    const response = responseOf([new TextEncoder().encode(": ok\n\n")], false);
    await expect(readEvents(response, () => undefined, 20)).rejects.toBeInstanceOf(ConnectionLost);
  });

  test("a stream that is slow but never silent stays connected", async () => {
    const body = new ReadableStream<Uint8Array>({
      async pull(controller) {
        await new Promise((resolve) => setTimeout(resolve, 60));
        controller.enqueue(new TextEncoder().encode(": ok\n\nid: 1\ndata: x\n\n"));
      },
    });
    let count = 0;
    await readEvents({ body } as Response, () => ++count === 8, 300);
    expect(count).toBe(8);
  });

  test("a broken body counts as a lost connection, an abort stays an abort", async () => {
    const failing = (error: unknown) =>
      ({
        body: new ReadableStream({ pull: (controller) => controller.error(error) }),
      }) as Response;
    await expect(readEvents(failing(new TypeError("net")), () => undefined)).rejects.toBeInstanceOf(
      ConnectionLost,
    );
    const abort = new DOMException("aborted", "AbortError");
    await expect(readEvents(failing(abort), () => undefined)).rejects.toBe(abort);
  });
});

test("the wait between attempts doubles up to ten seconds, with jitter", () => {
  expect(backoff(0, () => 1)).toBe(500);
  expect(backoff(0, () => 0)).toBe(250);
  expect(backoff(30, () => 1)).toBe(10_000);
});

test("a pause ends at once when the network is back, and rejects on abort", async () => {
  const abort = new AbortController();
  const waiting = pause(60_000, abort.signal);
  window.dispatchEvent(new Event("online"));
  await waiting;
  const other = pause(60_000, abort.signal);
  abort.abort();
  await expect(other).rejects.toThrow();
});
