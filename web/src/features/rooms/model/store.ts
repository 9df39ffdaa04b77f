// What this tab knows of the rooms it has opened: the room, its messages, who is present and types, the connection,
// and outgoing messages. session.ts changes it. A room stays here while other pages are shown, so coming back shows
// it at once and asks only for what is new.
import { create } from "zustand";
import type { RoomOut } from "@/lib/api/types";
import type { OutgoingMessage } from "./outbox";
import type { RoomState } from "./room-state";

export type Phase = "loading" | "failed" | "missing" | "not-joined" | "joined";

export interface RoomView {
  phase: Phase;
  error: unknown;
  /** The id of the user who sees this view; null for a visitor. */
  me: string | null;
  /** Name, topic, ticket and the user's own membership; members and messages are in `state`. */
  room: RoomOut | null;
  state: RoomState | null;
  /** Whether messages exist before the loaded ones. */
  earlier: "none" | "more" | "loading";
  connection: "connecting" | "live" | "lost";
  /** Why the server closed the connection for a while; empty if it did not. */
  floodReason: string;
  /** Whether the server closed the socket because the sign-in ended. */
  isSignedOut: boolean;
  presentIds: string[];
  /** User ids of members who type, with the time (ms) until which to show it. */
  typing: Record<string, number>;
  outbox: OutgoingMessage[];
  /** The last `seq` read when the room was opened or its window left: new messages begin after it. */
  newAfter: number;
  readSeq: number;
  /** The id of the message that is being edited. */
  editingId: string | null;
  /** The text of a message taken back, for the composer. */
  takenBack: { text: string; at: number } | null;
}

interface RoomStore {
  rooms: Record<string, RoomView | undefined>;
  /** Texts of running answers by reply id: kept apart so that only the answer itself renders again. */
  answerTexts: Record<string, string | undefined>;
  announcement: string;
}

export const useRoomStore = create<RoomStore>(() => ({
  rooms: {},
  answerTexts: {},
  announcement: "",
}));

const set = useRoomStore.setState;

export const EMPTY_VIEW: RoomView = {
  phase: "loading",
  error: null,
  me: null,
  room: null,
  state: null,
  earlier: "none",
  connection: "connecting",
  floodReason: "",
  isSignedOut: false,
  presentIds: [],
  typing: {},
  outbox: [],
  newAfter: 0,
  readSeq: 0,
  editingId: null,
  takenBack: null,
};

export const viewOf = (id: string): RoomView => useRoomStore.getState().rooms[id] ?? EMPTY_VIEW;

/** Return one part of a room's view. `select` must return the same object for the same view. */
export function useRoomView<T>(id: string, select: (view: RoomView) => T): T {
  return useRoomStore((state) => select(state.rooms[id] ?? EMPTY_VIEW));
}

export function updateView(id: string, part: Partial<RoomView>): void {
  set(({ rooms }) => ({ rooms: { ...rooms, [id]: { ...(rooms[id] ?? EMPTY_VIEW), ...part } } }));
}

export function forgetView(id: string): void {
  set(({ rooms }) => ({ rooms: { ...rooms, [id]: undefined } }));
}

export function setAnswerText(replyId: string, text: string | undefined): void {
  set(({ answerTexts }) => ({ answerTexts: { ...answerTexts, [replyId]: text } }));
}

export const answerText = (replyId: string): string =>
  useRoomStore.getState().answerTexts[replyId] ?? "";

export function announce(announcement: string): void {
  set({ announcement });
}

/** Return the key of an author's draft: other people who use this browser do not see it. */
export const draftKey = (roomId: string, me: string): string => `room.${roomId}.${me}`;
export const editDraftKey = (messageId: string): string => `room.edit.${messageId}`;
