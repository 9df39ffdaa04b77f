// Asks questions, as a new turn or in place of the chat's last question, and follows and stops their replies. A turn
// continues while other pages are shown.
import { api } from "@/lib/api/client";
import { Problem } from "@/lib/api/problem";
import type { AskBody } from "@/lib/api/types";
import { newId } from "@/lib/browser/ids";
import { writeDraft } from "@/lib/drafts/drafts";
import { runReply } from "@/lib/streams/reply";
import type { ReplySource } from "@/lib/streams/reply-reader";
import { announceChange } from "./channel";
import { handlersFor, patch, remove, sendStop, turnOf } from "./reply-handlers";
import { chatKey, editDraftKey, isAnswering, type LiveTurn, unsentKey, useChat } from "./store";

export interface Question {
  chat: string;
  text: string;
  ticketId: string | null;
  sessionId: string | null;
  /** The chat's last question, if this question takes its place. The same text is answered once more. */
  replaces?: { id: string; content: string };
  onStarted?: (sessionId: string) => void;
}

const set = useChat.setState;
const aborts = new Map<string, AbortController>();
const goneReplies = new Set<string>();

type RequiredFields = Pick<LiveTurn, "key" | "chat" | "question" | "isSentHere">;

function newTurn(fields: RequiredFields & Partial<LiveTurn>): LiveTurn {
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
    finishReason: null,
    error: null,
    endedAt: null,
    ...fields,
  };
}

/** Remove the turn of a refused question, and show the reason and its text where it was written. */
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
  // Another turn followed the question that was to be replaced: show it.
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
      goneReplies.add(turn.replyId);
      remove(key);
      if (turn.sessionId) announceChange(turn.sessionId);
    } else {
      refuse(turn, error instanceof Problem ? error : null);
    }
  } finally {
    aborts.delete(key);
  }
}

/** Send a question, whose answer grows in `turns`. Does nothing while the same chat is being answered. */
export function ask({ chat, text, ticketId, sessionId, replaces, onStarted }: Question): void {
  if (isAnswering(useChat.getState().turns, chat)) return;
  const key = newId();
  const question = replaces?.content === text ? null : text;
  const replacedId = replaces?.id ?? null;
  if (question !== null) writeDraft(replaces ? editDraftKey(replaces.id) : unsentKey(chat), text);
  set(({ turns, refusals }) => ({
    turns: [
      ...turns,
      newTurn({ key, chat, sessionId, question, replaces: replacedId, isSentHere: true }),
    ],
    refusals: { ...refusals, [chat]: undefined },
    editing: null,
  }));
  const body: AskBody = {
    message: text,
    client_message_id: key,
    session_id: sessionId ?? undefined,
    replaces: replaces?.id,
  };
  const open = (signal: AbortSignal) =>
    ticketId ? api.streamTicketChat(ticketId, body, signal) : api.streamGlobalChat(body, signal);
  void run(key, { kind: "ask", open }, onStarted);
}

/** Follow a running reply: after a reload, or one that began in another tab. */
export function followReply(sessionId: string, replyId: string): void {
  const isKnown = useChat.getState().turns.some((turn) => turn.replyId === replyId);
  if (isKnown || goneReplies.has(replyId)) return;
  const key = `follow:${replyId}`;
  const chat = chatKey(sessionId, null);
  const turn = newTurn({ key, chat, question: null, isSentHere: false, replyId, sessionId });
  set(({ turns }) => ({ turns: [...turns, turn], announcement: "Answering" }));
  void run(key, { kind: "follow", replyId });
}

/** Stop a reply: show it at once, and tell the server as soon as the reply has an id. */
export function stop(key: string): void {
  const turn = turnOf(key);
  if (turn?.status !== "streaming" || turn.stopping) return;
  if (!turn.replyId && turn.connectionLost) {
    aborts.get(key)?.abort(); // the server never had the question: take it back
    return;
  }
  patch(key, { stopping: true });
  sendStop(key);
}
