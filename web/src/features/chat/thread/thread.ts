// Joins the saved messages of a chat with its live turns into what the page shows, each with a React
// key that stays the same when a live turn becomes a saved message. A live turn that takes the place of
// the last one hides it and holds it as an earlier version, as the server will.
import type { Message } from "@/lib/api/types";
import type { LiveTurn } from "../ask/store";
import { replaceTurn, savedIds } from "./versions";

export interface Entry {
  key: string;
  message: Message;
  /** The turn whose answer this is, while it is not saved. */
  turn?: LiveTurn;
}

/** One question with its answer; the first of a page may be an answer alone. */
export interface Exchange {
  key: string;
  question: Entry | undefined;
  answer: Entry | undefined;
}

/** A question that the server has not named yet has no id. */
function liveQuestion(turn: LiveTurn, content: string): Message {
  return {
    id: turn.questionId ?? "",
    role: "user",
    content,
    status: "complete",
    created_at: turn.askedAt,
    ended_at: null,
    model: null,
    usage: null,
    citations: [],
    error: null,
    feedback: null,
    alternatives: [],
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
    citations: turn.citations ?? [],
    error: turn.error,
    feedback: null,
    alternatives: [],
  };
}

/** Where the turn begins that this one takes the place of; the end when it takes none. */
function placeOf(turn: LiveTurn, entries: Entry[]): number {
  const replaced = turn.replaces;
  let place = -1;
  if (replaced) {
    place = entries.findLastIndex(({ message }) => message.id === replaced);
  } else if (!turn.own && !turn.model && entries.at(-1)?.message.role === "assistant") {
    // A reply that runs after an answer, not after a question, replaces it: known before its first event.
    place = entries.findLastIndex(({ message }) => message.role === "user");
  }
  return place < 0 ? entries.length : place;
}

export function joinThread(
  messages: Message[],
  turns: LiveTurn[],
  keys: Record<string, string>,
): Entry[] {
  const saved = savedIds(messages);
  const liveKeys = new Map<string, string>();
  for (const turn of turns) {
    if (turn.replyId) liveKeys.set(turn.replyId, `${turn.key}:assistant`);
    if (turn.questionId && turn.question !== null) {
      liveKeys.set(turn.questionId, `${turn.key}:user`);
    }
  }
  const entries: Entry[] = messages.map((message) => ({
    key: liveKeys.get(message.id) ?? keys[message.id] ?? message.id,
    message,
  }));
  for (const turn of turns) {
    if (turn.replyId && saved.has(turn.replyId)) continue;
    const isAsked = turn.questionId !== null && saved.has(turn.questionId);
    const asked = turn.question !== null && !isAsked ? liveQuestion(turn, turn.question) : null;
    const answer = { key: `${turn.key}:assistant`, message: liveAnswer(turn), turn };
    const [first, ...rest] = entries.splice(placeOf(turn, entries));
    if (first) {
      const earlier: [Message, ...Message[]] = [first.message, ...rest.map((one) => one.message)];
      const [question, replacing] = replaceTurn(earlier, asked, answer.message);
      const key = asked ? `${turn.key}:user` : first.key;
      entries.push({ key, message: question }, { ...answer, message: replacing });
    } else {
      if (asked) entries.push({ key: `${turn.key}:user`, message: asked });
      entries.push(answer);
    }
  }
  return entries;
}

export function exchanges(entries: Entry[]): Exchange[] {
  const list: Exchange[] = [];
  for (const entry of entries) {
    const last = list.at(-1);
    if (entry.message.role === "user") {
      list.push({ key: entry.key, question: entry, answer: undefined });
    } else if (last && !last.answer) {
      last.answer = entry;
    } else {
      list.push({ key: entry.key, question: undefined, answer: entry });
    }
  }
  return list;
}
