// Holds the state of chats that is not saved yet: turns in progress, refused questions, the question being edited, and
// the announcement for screen readers. ask.ts changes it. Once the saved chat contains a turn, the turn is dropped and
// only its React keys stay, so that no text is drawn again.
import { create } from "zustand";
import type { Citation, ReplyError, ReplyEvents, ReplyStatus, Usage } from "@/lib/api/types";
import { clearDraft, readDraft } from "@/lib/drafts/drafts";

export interface LiveTurn {
  key: string;
  chat: string;
  /** Null if the question is in the chat already: its reply is followed, or it is answered once more. */
  question: string | null;
  /** The id of the question whose turn this turn replaces. */
  replaces: string | null;
  /** Whether the question was sent from this tab; else its reply is only followed. */
  isSentHere: boolean;
  questionId: string | null;
  replyId: string | null;
  sessionId: string | null;
  askedAt: string;
  model: string | null;
  /** The whole answer once it has ended; until then its text is in `growing`. */
  text: string;
  status: ReplyStatus;
  stopping: boolean;
  connectionLost: boolean;
  leftOut: number;
  usage: Usage | null;
  citations: Citation[] | null;
  finishReason: ReplyEvents["message_complete"]["finish_reason"];
  error: ReplyError | null;
  endedAt: string | null;
}

export interface Refusal {
  sentence: string;
  text: string;
}

/** The question that is being edited, and the reason if it was refused. */
export interface Editing {
  questionId: string;
  sentence: string;
  /** The element that had the focus before. */
  opener?: Element | null;
}

interface ChatState {
  turns: LiveTurn[];
  /** The text of growing answers by turn. It is kept apart, so that only the growing text is drawn again. */
  growing: Record<string, string | undefined>;
  refusals: Record<string, Refusal | undefined>;
  /** React keys of messages that were once a live turn, by message id. */
  keys: Record<string, string>;
  editing: Editing | null;
  announcement: string;
}

export const chatKey = (sessionId: string | null, ticketId: string | null): string =>
  sessionId ? `session:${sessionId}` : `new:${ticketId ?? "all"}`;

export const draftKey = (chat: string): string => `chat.${chat}`;
/** The key of a question that was sent, until the server has it. */
export const unsentKey = (chat: string): string => `chat.unsent.${chat}`;
export const editDraftKey = (questionId: string): string => `chat.edit.${questionId}`;

export const useChat = create<ChatState>(() => ({
  turns: [],
  growing: {},
  refusals: {},
  keys: {},
  editing: null,
  announcement: "",
}));

const set = useChat.setState;

export function announce(announcement: string): void {
  set({ announcement });
}

export function edit(questionId: string): void {
  set({ editing: { questionId, sentence: "", opener: document.activeElement } });
}

export function endEditing(): void {
  set({ editing: null });
}

export function clearRefusal(chat: string): void {
  if (useChat.getState().refusals[chat]) {
    set(({ refusals }) => ({ refusals: { ...refusals, [chat]: undefined } }));
  }
}

/** Take the question of a chat that the server does not have: it was refused, or the page closed too early. */
export function takeUnsent(chat: string): string {
  const refusal = useChat.getState().refusals[chat];
  const text = refusal?.text || (readDraft<string>(unsentKey(chat))?.value ?? "");
  clearDraft(unsentKey(chat));
  if (refusal?.text) {
    set(({ refusals }) => ({ refusals: { ...refusals, [chat]: { ...refusal, text: "" } } }));
  }
  return text;
}

export function isAnswering(turns: LiveTurn[], chat: string): boolean {
  return turns.some((turn) => turn.chat === chat && turn.status === "streaming");
}

/** Drop the turns that the saved chat now contains, and keep their React keys. */
export function dropSaved(messageIds: Set<string>): void {
  const { turns, keys } = useChat.getState();
  const saved = turns.filter(
    (turn) => turn.status !== "streaming" && turn.replyId && messageIds.has(turn.replyId),
  );
  if (saved.length === 0) return;
  const more: Record<string, string> = {};
  for (const turn of saved) {
    if (turn.replyId) more[turn.replyId] = `${turn.key}:assistant`;
    if (turn.questionId && turn.question !== null) more[turn.questionId] = `${turn.key}:user`;
  }
  set({ turns: turns.filter((turn) => !saved.includes(turn)), keys: { ...keys, ...more } });
}
