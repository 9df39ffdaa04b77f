// Follows one reply from question to `done`, whatever happens to the connection. The reply belongs to
// the server: a lost stream is resumed from the last event id (which only the server may count), and a
// question whose answer never began is repeated with the same client_message_id, which is idempotent.
// A hidden tab lets go after a while and catches up when it is shown again. Tabs share one connection.
import { Problem } from "../api/problem";
import { type ReplyHandlers, ReplyReader, type ReplySource } from "./reply-reader";
import { isAbort } from "./shared-stream";
import { backoff, pause, whenVisible } from "./sse";

const HIDDEN_MS = 15_000;
const MAX_UNAVAILABLE = 6;

/** A signal that also ends when the tab has been hidden for a while, or by `end`; `release` takes the listeners off. */
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

/** Resolves when the reply is over. Rejects with a Problem when the server refuses, or on abort. */
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
        const over = await reader.attempt(visible.signal, mayRetry, () => {
          attempt = 0;
        });
        if (over) return;
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
      reader.connection(true);
      await pause(backoff(attempt), signal);
    }
  } finally {
    reader.close();
  }
}
