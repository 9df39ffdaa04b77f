// Follows one reply from its question to `done`, even if the connection breaks. The reply belongs to the server: a lost
// stream is resumed after its last event id, and a question whose answer never began is repeated with the same
// client_message_id, which is idempotent. A hidden tab disconnects after a while and catches up once it is shown.
import { Problem } from "../api/problem";
import { type ReplyHandlers, ReplyReader, type ReplySource } from "./reply-reader";
import { isAbort } from "./shared-stream";
import { backoff, pause, whenVisible } from "./sse";

const HIDDEN_MS = 15_000;
const MAX_UNAVAILABLE = 6;

/**
 * Derive a signal that also ends once the tab has been hidden for a while.
 * Returns the signal, `end` to end it now, and `release` to remove its listeners.
 */
function visibleOnly(outer: AbortSignal) {
  const inner = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const end = () => inner.abort();
  const onVisibility = () => {
    clearTimeout(timer);
    if (document.visibilityState === "hidden") timer = setTimeout(end, HIDDEN_MS);
  };
  outer.addEventListener("abort", end);
  document.addEventListener("visibilitychange", onVisibility);
  onVisibility();
  const release = () => {
    clearTimeout(timer);
    outer.removeEventListener("abort", end);
    document.removeEventListener("visibilitychange", onVisibility);
  };
  return { signal: inner.signal, end, release };
}

/** Follow a reply until it is over. Raises Problem if the server refuses, and AbortError on abort. */
export async function runReply(
  source: ReplySource,
  handlers: ReplyHandlers,
  signal: AbortSignal,
): Promise<void> {
  const reader = new ReplyReader(source, handlers);
  try {
    for (let attempt = 0; !reader.ended; attempt++) {
      const visible = visibleOnly(signal);
      reader.onEnded = visible.end;
      try {
        const mayRetry = reader.replyId !== null || attempt < MAX_UNAVAILABLE;
        const isOver = await reader.attempt(visible.signal, mayRetry, () => {
          attempt = 0;
        });
        if (isOver) return;
      } catch (error) {
        if (signal.aborted) throw error;
        if (reader.ended) return;
        if (error instanceof Problem && error.status !== 0) throw error;
        if (isAbort(error)) {
          await whenVisible(signal);
          continue;
        }
      } finally {
        visible.release();
      }
      reader.setConnection(true);
      await pause(backoff(attempt), signal);
    }
  } finally {
    reader.close();
  }
}
