// Follows one reply from question to `done`, whatever happens to the connection. The reply belongs to
// the server: a lost stream is resumed from the last event id (which only the server may count), and a
// question whose answer never began is repeated with the same client_message_id, which is idempotent.
// A hidden tab lets go after a while and catches up when it is shown again.
import { Problem, send, toProblem } from "@/lib/api";
import { backoff, pause, readEvents, type ServerEvent, whenVisible } from "@/lib/sse";
import type { Citation, ReplyError, ReplyStatus, Usage } from "@/lib/types";

export interface ReplyStart {
  id: string;
  session_id: string;
  model: string | null;
  question_id?: string;
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
      body: { message: string; client_message_id: string; session_id?: string };
    }
  | { kind: "follow"; replyId: string };

const HIDDEN_MS = 15_000;
const MAX_UNAVAILABLE = 6;
const isAbort = (error: unknown): boolean =>
  error instanceof DOMException && error.name === "AbortError";

/** A signal that also ends when the tab has been hidden for a while; `release` takes the listeners off. */
function visibleOnly(outer: AbortSignal) {
  const inner = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const abort = () => inner.abort();
  const onVisibility = () => {
    clearTimeout(timer);
    if (document.visibilityState === "hidden") timer = setTimeout(abort, HIDDEN_MS);
  };
  outer.addEventListener("abort", abort);
  document.addEventListener("visibilitychange", onVisibility);
  onVisibility();
  const release = () => {
    clearTimeout(timer);
    outer.removeEventListener("abort", abort);
    document.removeEventListener("visibilitychange", onVisibility);
  };
  return { signal: inner.signal, release };
}

class ReplyReader {
  replyId: string | null;
  lastId: string | null = null;
  ended = false;

  constructor(
    private readonly source: ReplySource,
    private readonly handlers: ReplyHandlers,
  ) {
    this.replyId = source.kind === "follow" ? source.replyId : null;
  }

  connect(signal: AbortSignal): Promise<Response> {
    const headers: Record<string, string> = { Accept: "text/event-stream" };
    if (this.replyId) {
      const path = `/chat/replies/${encodeURIComponent(this.replyId)}/stream`;
      if (!this.lastId) return send(`${path}?after=0`, { headers, signal });
      headers["Last-Event-ID"] = this.lastId;
      return send(path, { headers, signal });
    }
    if (this.source.kind !== "ask") throw new Error("a reply to follow has an id");
    headers["Content-Type"] = "application/json";
    const body = JSON.stringify(this.source.body);
    return send(this.source.path, { method: "POST", headers, body, signal });
  }

  /** Takes one event; true when it was the last one. */
  take({ event, data, id }: ServerEvent): boolean {
    if (id) this.lastId = id;
    const value = JSON.parse(data || "null");
    if (event === "message_start") {
      this.replyId = value.id;
      this.lastId = null;
      this.handlers.onStart(value);
    } else if (event === "message_delta") {
      this.handlers.onDelta(String(value.delta ?? ""));
    } else if (event === "message_complete") {
      this.ended = true;
      this.handlers.onEnd(value);
    } else if (event === "error") {
      this.ended = true;
      this.handlers.onError(value);
    }
    return event === "done";
  }

  /** One connection. True when the reply is over, false when it is to be resumed. */
  async attempt(signal: AbortSignal, mayRetry: boolean, onAlive: () => void): Promise<boolean> {
    const response = await this.connect(signal);
    if (!response.ok) {
      const problem = await toProblem(response);
      if (mayRetry && [502, 503, 504].includes(problem.status)) return false;
      throw problem;
    }
    this.handlers.onConnection(false);
    let done = false;
    await readEvents(response, (event) => {
      onAlive();
      done = this.take(event);
      return done;
    });
    return done || this.ended;
  }
}

/** Resolves when the reply is over. Rejects with a Problem when the server refuses, or on abort. */
export async function runReply(
  source: ReplySource,
  handlers: ReplyHandlers,
  signal: AbortSignal,
): Promise<void> {
  const reader = new ReplyReader(source, handlers);
  for (let attempt = 0; ; attempt++) {
    const visible = visibleOnly(signal);
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
    handlers.onConnection(true);
    await pause(backoff(attempt), signal);
  }
}
