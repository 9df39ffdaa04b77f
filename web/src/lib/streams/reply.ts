// Follows one reply from question to `done`, whatever happens to the connection. The reply belongs to
// the server: a lost stream is resumed from the last event id (which only the server may count), and a
// question whose answer never began is repeated with the same client_message_id, which is idempotent.
// A hidden tab lets go after a while and catches up when it is shown again. Tabs share one connection.
import { Problem } from "../api/client";
import type { Citation, ReplyError, ReplyStatus, Usage } from "../api/types";
import { ReplyReader } from "./reply-reader";
import { isAbort } from "./shared-stream";
import { backoff, pause, whenVisible } from "./sse";

export interface ReplyStart {
  id: string;
  session_id: string;
  model: string | null;
  question_id?: string;
  /** Where the turn takes the place of the chat's last one: that one's question, and the text of its own. */
  replaces?: string;
  question?: string;
  left_out_messages?: number;
}

export interface ReplyEnd {
  id: string;
  content: string;
  status: ReplyStatus;
  usage?: Usage | null;
  citations?: Citation[] | null;
  model?: string | null;
}

export interface ReplyHandlers {
  /** The reply begins; text shown so far is to be forgotten, for it is sent from the start. */
  onStart: (start: ReplyStart) => void;
  onDelta: (text: string) => void;
  onEnd: (end: ReplyEnd) => void;
  onError: (error: ReplyError) => void;
  onConnection: (lost: boolean) => void;
}

export type ReplySource =
  | {
      kind: "ask";
      path: string;
      body: {
        message: string;
        client_message_id: string;
        session_id?: string;
        replaces?: string;
      };
    }
  | {
      kind: "follow";
      replyId: string;
      /** Where its stream is; a chat's when not given. */
      path?: string;
    };

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
