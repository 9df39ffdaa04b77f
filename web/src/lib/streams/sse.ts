// Reads server-sent events from a fetch response, and waits between attempts. Bytes may be cut anywhere. Comments keep
// the connection alive, so silence of 35 s (two missed comments) counts as a lost connection.
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
 * Call `onEvent` for each event until the stream ends or `onEvent` returns true.
 * Raises ConnectionLost if the connection breaks, is silent for too long, or sends an event that is too large.
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
  // One timer checks when bytes last came: a timer for each read would cost more.
  let receivedAt = performance.now();
  let isSilent = false;
  const checkSilence = () => {
    const left = receivedAt + idleMs - performance.now();
    if (left > 0) {
      timer = setTimeout(checkSilence, left);
      return;
    }
    isSilent = true;
    reader.cancel().catch(() => undefined); // ends the read that waits
  };
  let timer = setTimeout(checkSilence, idleMs);
  try {
    while (!finished) {
      const { done, value } = await reader.read();
      if (isSilent) throw new ConnectionLost("silent");
      if (done) return;
      receivedAt = performance.now();
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

/** Return the milliseconds before attempt n (0, 1, …): doubling from half a second to 10 s, with jitter. */
export function backoff(attempt: number, random = Math.random): number {
  const limit = Math.min(10_000, 500 * 2 ** attempt);
  return limit / 2 + (limit / 2) * random();
}

/** Wait, at most until the browser is online again or the tab is shown. Raises AbortError on abort. */
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

/** Wait until the tab is visible. Raises AbortError on abort. */
export function whenVisible(signal: AbortSignal): Promise<void> {
  if (document.visibilityState !== "hidden") return Promise.resolve();
  return pause(2 ** 31 - 1, signal);
}
