// What this tab knows of the rooms it has opened: the room itself, what is said there, who is there and types, the
// connection, and messages on their way. session.ts changes it. A room stays here while other pages are shown, so
// that coming back shows it at once and only asks for what came since.
import { create } from "zustand";
import type { RoomOut } from "@/lib/types";
import type { Outgoing } from "./outbox";
import type { RoomState } from "./room-state";

export type Phase = "loading" | "failed" | "missing" | "outside" | "open";

export interface RoomView {
  phase: Phase;
  error: unknown;
  /** Whose eyes these are. */
  me: string | null;
  /** Its name, topic, ticket, and one's own standing; members and messages are in `state`. */
  room: RoomOut | null;
  state: RoomState | null;
  /** Whether there are messages before those loaded. */
  earlier: "none" | "more" | "loading";
  connection: "connecting" | "live" | "lost";
  /** Why the server closed the room for a while. */
  flooded: string;
  /** The sign-in ended. */
  isSignedOut: boolean;
  present: string[];
  /** Who types, and until when that is to be believed (ms). */
  typing: Record<string, number>;
  outbox: Outgoing[];
  /** What was read when the room was opened, or left for another window: the unread begin after it. */
  since: number;
  readSeq: number;
  /** The message that is being edited. */
  editing: string | null;
  /** A message that was taken back, for the composer. */
  offered: { text: string; at: number } | null;
}

interface RoomsState {
  rooms: Record<string, RoomView | undefined>;
  /** The text of answers in the making, by reply: apart, so that only what shows it is drawn again. */
  growing: Record<string, string | undefined>;
  announcement: string;
}

export const useRooms = create<RoomsState>(() => ({ rooms: {}, growing: {}, announcement: "" }));

const set = useRooms.setState;

export const EMPTY_VIEW: RoomView = {
  phase: "loading",
  error: null,
  me: null,
  room: null,
  state: null,
  earlier: "none",
  connection: "connecting",
  flooded: "",
  isSignedOut: false,
  present: [],
  typing: {},
  outbox: [],
  since: 0,
  readSeq: 0,
  editing: null,
  offered: null,
};

export const viewOf = (id: string): RoomView => useRooms.getState().rooms[id] ?? EMPTY_VIEW;

/** One part of what is known of a room, for a component. Give the same object for the same state. */
export function useRoom<T>(id: string, select: (view: RoomView) => T): T {
  return useRooms((state) => select(state.rooms[id] ?? EMPTY_VIEW));
}

export function patchView(id: string, part: Partial<RoomView>): void {
  set(({ rooms }) => ({ rooms: { ...rooms, [id]: { ...(rooms[id] ?? EMPTY_VIEW), ...part } } }));
}

export function forgetView(id: string): void {
  set(({ rooms }) => ({ rooms: { ...rooms, [id]: undefined } }));
}

export function grow(replyId: string, text: string | undefined): void {
  set(({ growing }) => ({ growing: { ...growing, [replyId]: text } }));
}

export const growingText = (replyId: string): string => useRooms.getState().growing[replyId] ?? "";

export function announce(announcement: string): void {
  set({ announcement });
}

/** Of who writes: somebody else in the same browser does not see it. */
export const draftKey = (roomId: string, me: string): string => `room.${roomId}.${me}`;
export const editDraftKey = (messageId: string): string => `room.edit.${messageId}`;
