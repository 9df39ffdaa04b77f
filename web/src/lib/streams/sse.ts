// Reads server-sent events from a fetch response: bytes may be cut anywhere, comments keep the
// connection alive, and silence of 35 s (two missed comments and a bit) counts as a lost connection.
// Also the waiting between attempts, which ends at once when the network or the tab comes back.
import { createParser } from "eventsource-parser";

export interface ServerEvent {
  event: string;
  data: string;
  id: string | undefined;
}

export class ConnectionLost extends Error {
  override name = "ConnectionLost";
}

export const IDLE_MS = 35_000;
const MAX_BUFFER = 4 * 1024 * 1024;

/**
 * Calls `onEvent` for each event until the stream ends or `onEvent` returns true.
 * Rejects with ConnectionLost when the connection breaks, is silent for too long, or sends no sense.
 */
export async function readEvents(
  response: Response,
  onEvent: (event: ServerEvent) => boolean | undefined,
  idleMs = IDLE_MS,
): Promise<void> {
  const reader = response.body?.getReader();
  if (!reader) throw new ConnectionLost("no body");
  const decoder = new TextDecoder();
  let finished = false;
  const parser = createParser({
    maxBufferSize: MAX_BUFFER,
    onEvent: ({ event, data, id }) => {
      if (!finished) finished = onEvent({ event: event ?? "message", data, id }) === true;
    },
  });
  // One timer that looks when bytes last came, instead of one for each read.
  let heard = performance.now();
  let silent = false;
  const listen = () => {
    const left = heard + idleMs - performance.now();
    if (left > 0) {
      timer = setTimeout(listen, left);
      return;
    }
    silent = true;
    reader.cancel().catch(() => undefined); // ends the read that waits
  };
  let timer = setTimeout(listen, idleMs);
  try {
    while (!finished) {
      const { done, value } = await reader.read();
      if (silent) throw new ConnectionLost("silent");
      if (done) return;
      heard = performance.now();
      parser.feed(decoder.decode(value, { stream: true }));
    }
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw error instanceof ConnectionLost ? error : new ConnectionLost(String(error));
  } finally {
    clearTimeout(timer);
    reader.cancel().catch(() => undefined);
  }
}

/** Milliseconds before attempt n (0, 1, …): doubling from half a second to 10 s, with jitter. */
export function backoff(attempt: number, random = Math.random): number {
  const limit = Math.min(10_000, 500 * 2 ** attempt);
  return limit / 2 + (limit / 2) * random();
}

/** Waits, but ends at once when the browser is online again or the tab is shown; rejects on abort. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const onVisible = () => document.visibilityState === "visible" && finish();
    const onAbort = () => {
      cleanUp();
      reject(new DOMException("aborted", "AbortError"));
    };
    const finish = () => {
      cleanUp();
      resolve();
    };
    const timer = setTimeout(finish, ms);
    const cleanUp = () => {
      clearTimeout(timer);
      window.removeEventListener("online", finish);
      document.removeEventListener("visibilitychange", onVisible);
      signal.removeEventListener("abort", onAbort);
    };
    if (signal.aborted) return onAbort();
    window.addEventListener("online", finish);
    document.addEventListener("visibilitychange", onVisible);
    signal.addEventListener("abort", onAbort);
  });
}

/** Resolves when the tab is visible; at once if it is. Rejects on abort. */
export function whenVisible(signal: AbortSignal): Promise<void> {
  if (document.visibilityState !== "hidden") return Promise.resolve();
  return pause(2 ** 31 - 1, signal);
}
