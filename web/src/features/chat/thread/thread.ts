// Merges the saved messages of a chat with its live turns into the entries of the page. The React key of an entry stays
// the same when a live turn becomes a saved message. A live turn that replaces the last turn shows it as an earlier
// version, as the server will.
import type { Message } from "@/lib/api/types";
import type { LiveTurn } from "../ask/store";
import { replaceTurn, savedIds } from "./versions";

export interface Entry {
  key: string;
  message: Message;
  /** The turn of this answer while it is not saved. */
  turn?: LiveTurn;
}

/** A question with its answer. The first exchange of a page may lack the question. */
export interface Exchange {
  key: string;
  question: Entry | undefined;
  answer: Entry | undefined;
}

/** Return the question of a turn as a message. Its id is "" until the server has assigned one. */
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
    thinking: null,
    finish_reason: null,
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
    thinking: null,
    finish_reason: turn.finishReason,
    error: turn.error,
    feedback: null,
    alternatives: [],
  };
}

/** Return the index of the turn that this turn replaces, or the end if it replaces none. */
function indexFor(turn: LiveTurn, entries: Entry[]): number {
  const replaced = turn.replaces;
  let index = -1;
  if (replaced) {
    index = entries.findLastIndex(({ message }) => message.id === replaced);
  } else if (!turn.isSentHere && !turn.model && entries.at(-1)?.message.role === "assistant") {
    // A reply that runs after an answer replaces it. This is known before its first event.
    index = entries.findLastIndex(({ message }) => message.role === "user");
  }
  return index < 0 ? entries.length : index;
}

export function mergeThread(
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
    const isSaved = turn.questionId !== null && saved.has(turn.questionId);
    const asking = turn.question !== null && !isSaved ? liveQuestion(turn, turn.question) : null;
    const answer = { key: `${turn.key}:assistant`, message: liveAnswer(turn), turn };
    const [first, ...rest] = entries.splice(indexFor(turn, entries));
    if (first) {
      const earlier: [Message, ...Message[]] = [
        first.message,
        ...rest.map(({ message }) => message),
      ];
      const [question, replacing] = replaceTurn(earlier, asking, answer.message);
      const key = asking ? `${turn.key}:user` : first.key;
      entries.push({ key, message: question }, { ...answer, message: replacing });
    } else {
      if (asking) entries.push({ key: `${turn.key}:user`, message: asking });
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
