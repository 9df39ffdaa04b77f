// Joins the saved messages of a chat with its live turns into what the page shows, each with a React
// key that stays the same when a live turn becomes a saved message.
import type { Message } from "@/lib/types";
import type { LiveTurn } from "./store";

export interface Entry {
  key: string;
  message: Message;
  /** The turn whose answer this is, while it is not saved. */
  turn?: LiveTurn;
}

function liveQuestion(turn: LiveTurn, content: string): Message {
  return {
    id: turn.questionId ?? turn.key,
    role: "user",
    content,
    status: "complete",
    created_at: turn.askedAt,
  };
}

function liveAnswer(turn: LiveTurn): Message {
  return {
    id: turn.replyId ?? `${turn.key}:reply`,
    role: "assistant",
    content: turn.text,
    status: turn.status,
    created_at: turn.askedAt,
    ended_at: turn.endedAt,
    model: turn.model,
    usage: turn.usage,
    citations: turn.citations,
    error: turn.error,
  };
}

export function joinThread(
  messages: Message[],
  turns: LiveTurn[],
  keys: Record<string, string>,
): Entry[] {
  const saved = new Set(messages.map((message) => message.id));
  const liveKeys = new Map<string, string>();
  for (const turn of turns) {
    if (turn.replyId) liveKeys.set(turn.replyId, `${turn.key}:assistant`);
    if (turn.questionId) liveKeys.set(turn.questionId, `${turn.key}:user`);
  }
  const entries: Entry[] = messages.map((message) => ({
    key: liveKeys.get(message.id) ?? keys[message.id] ?? message.id,
    message,
  }));
  for (const turn of turns) {
    const asked = turn.questionId !== null && saved.has(turn.questionId);
    if (turn.question !== null && !asked) {
      entries.push({ key: `${turn.key}:user`, message: liveQuestion(turn, turn.question) });
    }
    if (!turn.replyId || !saved.has(turn.replyId)) {
      entries.push({ key: `${turn.key}:assistant`, message: liveAnswer(turn), turn });
    }
  }
  return entries;
}
