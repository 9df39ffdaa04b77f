// The state of chats that the server's cache does not hold: turns in progress, refused questions, and
// what a screen reader is told. A turn keeps running while other pages are shown; when the saved chat
// holds it, the turn is dropped and only its React keys stay, so that no text is drawn anew.
import { create } from "zustand";
import { api, Problem } from "@/lib/api";
import { clearDraft } from "@/lib/drafts";
import { newId } from "@/lib/ids";
import type { Citation, ReplyError, ReplyStatus, Usage } from "@/lib/types";
import { announceChange } from "./channel";
import { type ReplyHandlers, type ReplySource, runReply } from "./reply";

export interface LiveTurn {
  key: string;
  chat: string;
  /** Null when only the reply is followed: the question is in the saved chat. */
  question: string | null;
  questionId: string | null;
  replyId: string | null;
  sessionId: string | null;
  askedAt: string;
  model: string | null;
  /** The whole answer once it has ended; until then it is in `growing`. */
  text: string;
  status: ReplyStatus;
  stopping: boolean;
  connectionLost: boolean;
  leftOut: number;
  usage: Usage | null;
  citations: Citation[] | null;
  error: ReplyError | null;
  endedAt: string | null;
}

export interface Refusal {
  sentence: string;
  text: string;
}

interface ChatState {
  turns: LiveTurn[];
  /** The text of answers in the making, by turn: apart, so that only what shows it is drawn again. */
  growing: Record<string, string | undefined>;
  refusals: Record<string, Refusal | undefined>;
  /** React keys of messages that were once a live turn, by message id. */
  keys: Record<string, string>;
  announcement: string;
}

export interface Question {
  chat: string;
  text: string;
  ticketId: string | null;
  sessionId: string | null;
  onStarted?: (sessionId: string) => void;
}

export const chatKey = (sessionId: string | null, ticketId: string | null): string =>
  sessionId ? `session:${sessionId}` : `new:${ticketId ?? "all"}`;

export const draftKey = (chat: string): string => `chat.${chat}`;

/** Milliseconds between two updates of the page while text arrives. A timer, for hidden tabs too. */
const COALESCE_MS = 50;
const ENDED_WORDS: Record<ReplyStatus, string> = {
  streaming: "",
  complete: "Answer ready",
  stopped: "Stopped",
  interrupted: "Interrupted",
  failed: "Failed",
};

export const useChat = create<ChatState>(() => ({
  turns: [],
  growing: {},
  refusals: {},
  keys: {},
  announcement: "",
}));

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

function newTurn(part: Pick<LiveTurn, "key" | "chat" | "question"> & Partial<LiveTurn>): LiveTurn {
  return {
    questionId: null,
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

function handlersFor(key: string, onStarted?: (sessionId: string) => void): ReplyHandlers {
  const buffer = coalesced(key);
  return {
    onStart: (start) => {
      buffer.reset();
      const before = turnOf(key);
      if (!before) return;
      patch(key, {
        replyId: start.id,
        sessionId: start.session_id,
        questionId: start.question_id ?? null,
        model: start.model,
        leftOut: start.left_out_messages ?? 0,
        chat: chatKey(start.session_id, null),
      });
      grow(key, "");
      if (before.replyId) return; // the same reply again after a lost connection, or one followed
      clearDraft(draftKey(before.chat));
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

/** What a refused question leaves behind: its sentence by the composer, and the text for it. */
function refuse(turn: LiveTurn, sentence: string): void {
  remove(turn.key);
  const text = turn.question ?? "";
  set(({ refusals }) => ({
    refusals: { ...refusals, [turn.chat]: { sentence, text } },
    announcement: sentence,
  }));
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
      refuse(turn, error instanceof Problem ? error.message : "");
    }
  } finally {
    aborts.delete(key);
  }
}

/** Sends a question; the answer grows in `turns`. Ignored while the same chat is being answered. */
export function ask({ chat, text, ticketId, sessionId, onStarted }: Question): void {
  if (isAnswering(useChat.getState().turns, chat)) return;
  const key = newId();
  const turn = newTurn({ key, chat, sessionId, question: text });
  set(({ turns, refusals }) => ({
    turns: [...turns, turn],
    refusals: { ...refusals, [chat]: undefined },
  }));
  const path = ticketId
    ? `/chat/ticket/${encodeURIComponent(ticketId)}/stream`
    : "/chat/global/stream";
  const body = { message: text, client_message_id: key, session_id: sessionId ?? undefined };
  void run(key, { kind: "ask", path, body }, onStarted);
}

/** Follows a reply that runs already: after a reload, or begun in another tab. */
export function followReply(sessionId: string, replyId: string): void {
  const known = useChat.getState().turns.some((turn) => turn.replyId === replyId);
  if (known || gone.has(replyId)) return;
  const key = `follow:${replyId}`;
  const turn = newTurn({ key, chat: chatKey(sessionId, null), question: null, replyId, sessionId });
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

/** Drops the turns that the saved chat now holds, keeping their React keys. */
export function dropSaved(messageIds: Set<string>): void {
  const { turns, keys } = useChat.getState();
  const saved = turns.filter(
    (turn) => turn.status !== "streaming" && turn.replyId && messageIds.has(turn.replyId),
  );
  if (saved.length === 0) return;
  const more: Record<string, string> = {};
  for (const turn of saved) {
    if (turn.replyId) more[turn.replyId] = `${turn.key}:assistant`;
    if (turn.questionId) more[turn.questionId] = `${turn.key}:user`;
  }
  set({ turns: turns.filter((turn) => !saved.includes(turn)), keys: { ...keys, ...more } });
}

export function clearRefusal(chat: string): void {
  if (useChat.getState().refusals[chat]) {
    set(({ refusals }) => ({ refusals: { ...refusals, [chat]: undefined } }));
  }
}

export function isAnswering(turns: LiveTurn[], chat: string): boolean {
  return turns.some((turn) => turn.chat === chat && turn.status === "streaming");
}
