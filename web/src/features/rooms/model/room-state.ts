// What is known of a room, and how each event of its socket changes it. Pure. Everything the server persists has a
// `seq` without gaps, so an event is the next one, known already, or after a gap (see `placeOf`). Applied to an old
// state, the events give the state that the server would send now.
//
// | event | changes |
// |---|---|
// | `message_posted` | adds the message; a replay sends it in its current form |
// | `message_edited`, `message_deleted` | the message, if it is loaded; a deleted one keeps its place, empty |
// | `member_joined`, `member_left`, `member_changed` | the members |
// | `reply_started` | the running answer; its question gets the `reply_id` |
// | `reply_ended` | adds the answer as a message; nothing runs |
// | `room_changed` | nothing here: name and topic are in the view's `room` |
import type { RoomEvent, RoomMember, RoomMessage, RoomOut, RunningAnswer } from "@/lib/api/types";

export type PersistedEvent = Exclude<Extract<RoomEvent, { seq: number }>, { type: "resumed" }>;

export interface RoomState {
  /** Every event up to this one is applied. */
  seq: number;
  /** Oldest first: the newest messages, without a gap, back to the oldest loaded one. */
  messages: RoomMessage[];
  /** In the order in which they joined. */
  members: RoomMember[];
  running: RunningAnswer | null;
}

export function stateOf(room: RoomOut, messages: RoomMessage[]): RoomState {
  const { seq, members, running_reply: running } = room;
  return { seq, messages, members, running };
}

export function isPersisted(event: RoomEvent): event is PersistedEvent {
  return "seq" in event && event.type !== "resumed";
}

/** Return whether an event is known, the next one, or after a gap. */
export function placeOf(event: PersistedEvent, state: RoomState): "known" | "next" | "gap" {
  if (event.seq <= state.seq) return "known";
  return event.seq === state.seq + 1 ? "next" : "gap";
}

/** Insert a message in the order of `seq`, or replace it. */
export function withMessage(messages: RoomMessage[], message: RoomMessage): RoomMessage[] {
  const index = messages.findLastIndex(({ seq }) => seq <= message.seq);
  const isLoaded = messages[index]?.id === message.id;
  return messages.toSpliced(isLoaded ? index : index + 1, isLoaded ? 1 : 0, message);
}

function updateMessage(
  messages: RoomMessage[],
  id: string,
  update: (message: RoomMessage) => RoomMessage,
): RoomMessage[] {
  return messages.map((message) => (message.id === id ? update(message) : message));
}

function withMember(members: RoomMember[], member: RoomMember): RoomMember[] {
  const index = members.findIndex(({ user_id }) => user_id === member.user_id);
  return index < 0 ? [...members, member] : members.with(index, member);
}

function changesOf(event: PersistedEvent, state: RoomState): Partial<RoomState> {
  const { messages, members } = state;
  switch (event.type) {
    case "message_posted":
      return { messages: withMessage(messages, event.message) };
    case "message_edited":
      return { messages: updateMessage(messages, event.message.id, () => event.message) };
    case "message_deleted":
      return {
        messages: updateMessage(messages, event.message_id, (message) => ({
          ...message,
          content: "",
          thinking: null,
          mentions: [],
          deleted_at: event.deleted_at,
        })),
      };
    case "member_joined":
    case "member_changed":
      return { members: withMember(members, event.member) };
    case "member_left":
      return { members: members.filter(({ user_id }) => user_id !== event.member.user_id) };
    case "reply_started": {
      const { reply_id: id, asked_by, message_id } = event;
      return {
        running: { id, asked_by, message_id },
        messages: updateMessage(messages, message_id, (message) => ({ ...message, reply_id: id })),
      };
    }
    case "reply_ended":
      return {
        messages: withMessage(messages, event.message),
        running: state.running?.id === event.reply_id ? null : state.running,
      };
    case "room_changed":
      return {};
  }
}

/** Return the state after an event; the same state if the event is known or after a gap. */
export function apply(event: PersistedEvent, state: RoomState): RoomState {
  if (placeOf(event, state) !== "next") return state;
  return { ...state, ...changesOf(event, state), seq: event.seq };
}

/** Put a page of earlier messages before the loaded ones. */
export function withEarlier(state: RoomState, page: RoomMessage[]): RoomState {
  const first = state.messages[0]?.seq ?? Number.POSITIVE_INFINITY;
  return { ...state, messages: [...page.filter(({ seq }) => seq < first), ...state.messages] };
}

/** Return the questions that wait for the tutor, in their order. */
export function waitingQuestions({ messages }: RoomState): RoomMessage[] {
  return messages.filter(
    (message) => message.asks_tutor && !message.reply_id && !message.deleted_at,
  );
}

/** Return the first message after `newAfter` by somebody else that is not deleted. */
export function firstNew(
  messages: RoomMessage[],
  newAfter: number,
  me: string,
): RoomMessage | null {
  return (
    messages.find(
      (message) => message.seq > newAfter && message.user_id !== me && !message.deleted_at,
    ) ?? null
  );
}
