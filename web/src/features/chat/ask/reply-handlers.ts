// Changes a turn while its reply arrives: with its first event, with one update of the text every 50 ms, and with its end.
import { api } from "@/lib/api/client";
import { sentenceOf } from "@/lib/api/problem";
import type { ReplyEvents, ReplyStatus } from "@/lib/api/types";
import { clearDraft, readDraft } from "@/lib/drafts/drafts";
import { coalesced } from "@/lib/streams/coalesce";
import type { ReplyHandlers } from "@/lib/streams/reply-reader";
import { setThought } from "@/lib/streams/thoughts";
import { announceChange } from "./channel";
import { chatKey, editDraftKey, type LiveTurn, unsentKey, useChat } from "./store";

const ENDED_WORDS: Record<ReplyStatus, string> = {
  streaming: "",
  complete: "Answer ready",
  stopped: "Stopped",
  interrupted: "Interrupted",
  failed: "Failed",
};

const set = useChat.setState;

export function patch(key: string, fields: Partial<LiveTurn>): void {
  set(({ turns }) => ({
    turns: turns.map((turn) => (turn.key === key ? { ...turn, ...fields } : turn)),
  }));
}

function grow(key: string, text: string | undefined): void {
  set(({ growing }) => ({ growing: { ...growing, [key]: text } }));
}

const growingText = (key: string): string => useChat.getState().growing[key] ?? "";

export const turnOf = (key: string): LiveTurn | undefined =>
  useChat.getState().turns.find((turn) => turn.key === key);

/** Return the fields of a turn that the first event of its reply sets. */
function fieldsFrom(turn: LiveTurn, start: ReplyEvents["message_start"]): Partial<LiveTurn> {
  const isSame = start.replaces === start.question_id;
  return {
    replyId: start.id,
    sessionId: start.session_id,
    questionId: start.question_id,
    question: isSame ? null : (turn.question ?? (start.replaces ? (start.question ?? "") : null)),
    replaces: start.replaces ?? null, // the server leaves out what is not set
    model: start.model,
    leftOut: start.left_out_messages,
    chat: chatKey(start.session_id, null),
  };
}

/** Remove the saved copy of a question that the server has. Another question, sent from another tab, stays. */
function removeDraft(turn: LiveTurn): void {
  const key = turn.replaces ? editDraftKey(turn.replaces) : unsentKey(turn.chat);
  if (turn.replaces || readDraft<string>(key)?.value === turn.question) clearDraft(key);
}

/** Return the handlers that put a reply into its turn. */
export function handlersFor(key: string, onStarted?: (sessionId: string) => void): ReplyHandlers {
  const buffer = coalesced((text) => grow(key, growingText(key) + text));
  return {
    onStart: (start) => {
      buffer.reset();
      const before = turnOf(key);
      if (!before) return;
      patch(key, fieldsFrom(before, start));
      grow(key, "");
      if (before.replyId) return; // the same reply after a lost connection, or a followed reply
      removeDraft(before);
      set({ announcement: "Answering" });
      onStarted?.(start.session_id);
      announceChange(start.session_id);
      if (before.stopping) sendStop(key);
    },
    onDelta: buffer.add,
    onThinking: (thinking) => {
      const { replyId = null } = turnOf(key) ?? {};
      if (replyId) setThought(replyId, thinking);
    },
    onEnd: (end) => {
      buffer.reset();
      patch(key, {
        text: end.content,
        status: end.status,
        usage: end.usage,
        citations: end.citations,
        finishReason: end.finish_reason,
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

export function remove(key: string): void {
  set(({ turns }) => ({ turns: turns.filter((turn) => turn.key !== key) }));
  grow(key, undefined);
}

export function sendStop(key: string): void {
  const turn = turnOf(key);
  if (!turn?.replyId) return;
  api.stopReply(turn.replyId).catch((error: unknown) => {
    patch(key, { stopping: false });
    set({ announcement: `Could not stop the answer. ${sentenceOf(error)}` });
  });
}
