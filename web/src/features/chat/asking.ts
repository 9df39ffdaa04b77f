// What happens to turns: a question is asked (anew, or in the place of the chat's last one), its reply
// grows, is followed, stopped, refused. A turn keeps running while other pages are shown.
import { api, Problem } from "@/lib/api";
import { clearDraft, writeDraft } from "@/lib/drafts";
import { newId } from "@/lib/ids";
import type { ReplyStatus } from "@/lib/types";
import { announceChange } from "./channel";
import { type ReplyHandlers, type ReplySource, type ReplyStart, runReply } from "./reply";
import { chatKey, draftKey, editDraftKey, isAnswering, type LiveTurn, useChat } from "./store";

/** Milliseconds between two updates of the page while text arrives. A timer, for hidden tabs too. */
const COALESCE_MS = 50;
const ENDED_WORDS: Record<ReplyStatus, string> = {
  streaming: "",
  complete: "Answer ready",
  stopped: "Stopped",
  interrupted: "Interrupted",
  failed: "Failed",
};

export interface Question {
  chat: string;
  text: string;
  ticketId: string | null;
  sessionId: string | null;
  /** The chat's last question, when this one takes its place; with the same text it is answered once more. */
  replaces?: { id: string; content: string };
  onStarted?: (sessionId: string) => void;
}

const set = useChat.setState;
const aborts = new Map<string, AbortController>();
const gone = new Set<string>();

function patch(key: string, part: Partial<LiveTurn>): void {
  set(({ turns }) => ({
    turns: turns.map((turn) => (turn.key === key ? { ...turn, ...part } : turn)),
  }));
}

function grow(key: string, text: string | undefined): void {
  set(({ growing }) => ({ growing: { ...growing, [key]: text } }));
}

const growingText = (key: string): string => useChat.getState().growing[key] ?? "";

const turnOf = (key: string): LiveTurn | undefined =>
  useChat.getState().turns.find((turn) => turn.key === key);

type Begun = Pick<LiveTurn, "key" | "chat" | "question" | "own">;

function newTurn(part: Begun & Partial<LiveTurn>): LiveTurn {
  return {
    questionId: null,
    replaces: null,
    replyId: null,
    sessionId: null,
    askedAt: new Date().toISOString(),
    model: null,
    text: "",
    status: "streaming",
    stopping: false,
    connectionLost: false,
    leftOut: 0,
    usage: null,
    citations: null,
    error: null,
    endedAt: null,
    ...part,
  };
}

/** Joins small deltas to one update each 50 ms. */
function coalesced(key: string) {
  let waiting = "";
  let timer: ReturnType<typeof setTimeout> | undefined;
  const flush = () => {
    clearTimeout(timer);
    timer = undefined;
    if (waiting === "") return;
    grow(key, growingText(key) + waiting);
    waiting = "";
  };
  const add = (delta: string) => {
    waiting += delta;
    timer ??= setTimeout(flush, COALESCE_MS);
  };
  const reset = () => {
    clearTimeout(timer);
    timer = undefined;
    waiting = "";
  };
  return { add, flush, reset };
}

/** What the first event of a reply says about its turn. */
function begun(turn: LiveTurn, start: ReplyStart): Partial<LiveTurn> {
  const isSame = start.replaces !== undefined && start.replaces === start.question_id;
  return {
    replyId: start.id,
    sessionId: start.session_id,
    questionId: start.question_id ?? null,
    question: isSame ? null : (turn.question ?? (start.replaces ? (start.question ?? "") : null)),
    replaces: start.replaces ?? null,
    model: start.model,
    leftOut: start.left_out_messages ?? 0,
    chat: chatKey(start.session_id, null),
  };
}

/** The server has the question: its draft goes. */
function forgetDraft(turn: LiveTurn): void {
  if (turn.replaces) clearDraft(editDraftKey(turn.replaces));
  else clearDraft(draftKey(turn.chat));
}

function handlersFor(key: string, onStarted?: (sessionId: string) => void): ReplyHandlers {
  const buffer = coalesced(key);
  return {
    onStart: (start) => {
      buffer.reset();
      const before = turnOf(key);
      if (!before) return;
      patch(key, begun(before, start));
      grow(key, "");
      if (before.replyId) return; // the same reply again after a lost connection, or one followed
      forgetDraft(before);
      set({ announcement: "Answering" });
      onStarted?.(start.session_id);
      announceChange(start.session_id);
      if (before.stopping) sendStop(key);
    },
    onDelta: buffer.add,
    onEnd: (end) => {
      buffer.reset();
      patch(key, {
        text: end.content,
        status: end.status,
        usage: end.usage ?? null,
        citations: end.citations ?? null,
        endedAt: new Date().toISOString(),
        stopping: false,
        connectionLost: false,
      });
      grow(key, undefined);
      const sources = end.citations?.length ?? 0;
      const words = ENDED_WORDS[end.status];
      set({ announcement: sources > 0 ? `${words}, ${sources} sources` : words });
    },
    onError: (error) => {
      buffer.flush();
      patch(key, {
        text: growingText(key),
        status: "failed",
        error,
        stopping: false,
        connectionLost: false,
        endedAt: new Date().toISOString(),
      });
      grow(key, undefined);
      set({ announcement: ENDED_WORDS.failed });
    },
    onConnection: (connectionLost) => {
      if (turnOf(key)?.connectionLost !== connectionLost) patch(key, { connectionLost });
    },
  };
}

function remove(key: string): void {
  set(({ turns }) => ({ turns: turns.filter((turn) => turn.key !== key) }));
  grow(key, undefined);
}

/** What a refused question leaves behind: its sentence and its text, where it was written. */
function refuse(turn: LiveTurn, problem: Problem | null): void {
  remove(turn.key);
  const sentence = problem?.message ?? "";
  if (turn.replaces && turn.question !== null) {
    set({ editing: { questionId: turn.replaces, sentence }, announcement: sentence });
  } else {
    const text = turn.question ?? "";
    set(({ refusals }) => ({
      refusals: { ...refusals, [turn.chat]: { sentence, text } },
      announcement: sentence,
    }));
  }
  // Something came after the question that was to be replaced: show it.
  if (turn.replaces && turn.sessionId && problem?.status === 409) announceChange(turn.sessionId);
}

async function run(key: string, source: ReplySource, onStarted?: (id: string) => void) {
  const abort = new AbortController();
  aborts.set(key, abort);
  try {
    await runReply(source, handlersFor(key, onStarted), abort.signal);
    const turn = turnOf(key);
    if (turn?.sessionId) announceChange(turn.sessionId);
  } catch (error) {
    const turn = turnOf(key);
    if (!turn) return;
    if (turn.replyId) {
      gone.add(turn.replyId);
      remove(key);
      if (turn.sessionId) announceChange(turn.sessionId);
    } else {
      refuse(turn, error instanceof Problem ? error : null);
    }
  } finally {
    aborts.delete(key);
  }
}

/** Sends a question; the answer grows in `turns`. Ignored while the same chat is being answered. */
export function ask({ chat, text, ticketId, sessionId, replaces, onStarted }: Question): void {
  if (isAnswering(useChat.getState().turns, chat)) return;
  const key = newId();
  const question = replaces?.content === text ? null : text;
  const part = { key, chat, sessionId, question, replaces: replaces?.id ?? null, own: true };
  if (replaces && question !== null) writeDraft(editDraftKey(replaces.id), text);
  set(({ turns, refusals }) => ({
    turns: [...turns, newTurn(part)],
    refusals: { ...refusals, [chat]: undefined },
    editing: null,
  }));
  const path = ticketId
    ? `/chat/ticket/${encodeURIComponent(ticketId)}/stream`
    : "/chat/global/stream";
  const body = {
    message: text,
    client_message_id: key,
    session_id: sessionId ?? undefined,
    replaces: replaces?.id,
  };
  void run(key, { kind: "ask", path, body }, onStarted);
}

/** Follows a reply that runs already: after a reload, or begun in another tab. */
export function followReply(sessionId: string, replyId: string): void {
  const known = useChat.getState().turns.some((turn) => turn.replyId === replyId);
  if (known || gone.has(replyId)) return;
  const key = `follow:${replyId}`;
  const chat = chatKey(sessionId, null);
  const turn = newTurn({ key, chat, question: null, own: false, replyId, sessionId });
  set(({ turns }) => ({ turns: [...turns, turn], announcement: "Answering" }));
  void run(key, { kind: "follow", replyId });
}

function sendStop(key: string): void {
  const turn = turnOf(key);
  if (!turn?.replyId) return;
  api.stopReply(turn.replyId).catch((error: unknown) => {
    patch(key, { stopping: false });
    const reason = error instanceof Error ? error.message : "";
    set({ announcement: `Could not stop. ${reason}` });
  });
}

/** Stops a reply: at once in words, and on the server as soon as it has an id. */
export function stop(key: string): void {
  const turn = turnOf(key);
  if (turn?.status !== "streaming" || turn.stopping) return;
  if (!turn.replyId && turn.connectionLost) {
    aborts.get(key)?.abort(); // the server never had it: take the question back
    return;
  }
  patch(key, { stopping: true });
  sendStop(key);
}
