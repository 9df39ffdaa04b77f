// What is known of a room, and how each event of its socket changes it. Pure. Whatever the server persists has a
// `seq` without gaps, so an event is either the next one, known already, or behind a hole (see `placeOf`); applied
// to an old state the events give what the server would tell anew.
//
// | event | changes |
// |---|---|
// | `message_posted` | a message more; sent again by a replay, the same one as it is now |
// | `message_edited`, `message_deleted` | the message, if it is loaded; a deleted one keeps its place, empty |
// | `member_joined`, `member_left`, `member_changed` | the members |
// | `reply_started` | the running answer; its question has it by `reply_id` |
// | `reply_ended` | the answer as a message; nothing runs |
import type { RoomEvent, RoomMember, RoomMessage, RoomOut } from "@/lib/types";

export type RunningReply = NonNullable<RoomOut["running_reply"]>;
export type PersistedEvent = Extract<RoomEvent, { seq: number }> & { type: PersistedType };
type PersistedType = Exclude<Extract<RoomEvent, { seq: number }>["type"], "resumed">;

export interface RoomState {
  /** Everything up to here is in. */
  seq: number;
  /** Oldest first: the newest ones without a gap, back to where was read. */
  messages: RoomMessage[];
  /** In the order in which they joined. */
  members: RoomMember[];
  running: RunningReply | null;
}

export function stateOf(room: RoomOut, messages: RoomMessage[]): RoomState {
  const { seq, members, running_reply: running } = room;
  return { seq, messages, members, running };
}

export function isPersisted(event: RoomEvent): event is PersistedEvent {
  return "seq" in event && event.type !== "resumed";
}

/** Where an event stands to what is known. */
export function placeOf(event: PersistedEvent, state: RoomState): "known" | "next" | "hole" {
  if (event.seq <= state.seq) return "known";
  return event.seq === state.seq + 1 ? "next" : "hole";
}

/** In the order of `seq`; one that is there already is replaced. */
export function withMessage(messages: RoomMessage[], message: RoomMessage): RoomMessage[] {
  const at = messages.findLastIndex((one) => one.seq <= message.seq);
  const isThere = messages[at]?.id === message.id;
  return messages.toSpliced(isThere ? at : at + 1, isThere ? 1 : 0, message);
}

function changed(
  messages: RoomMessage[],
  id: string,
  change: (message: RoomMessage) => RoomMessage,
): RoomMessage[] {
  return messages.map((message) => (message.id === id ? change(message) : message));
}

function withMember(members: RoomMember[], member: RoomMember): RoomMember[] {
  const at = members.findIndex((one) => one.user_id === member.user_id);
  return at < 0 ? [...members, member] : members.with(at, member);
}

function change(event: PersistedEvent, state: RoomState): Partial<RoomState> {
  const { messages, members } = state;
  switch (event.type) {
    case "message_posted":
      return { messages: withMessage(messages, event.message) };
    case "message_edited":
      return { messages: changed(messages, event.message.id, () => event.message) };
    case "message_deleted":
      return {
        messages: changed(messages, event.message_id, (message) => ({
          ...message,
          content: "",
          mentions: [],
          deleted_at: event.deleted_at,
        })),
      };
    case "member_joined":
    case "member_changed":
      return { members: withMember(members, event.member) };
    case "member_left":
      return { members: members.filter((one) => one.user_id !== event.member.user_id) };
    case "reply_started": {
      const { reply_id: id, asked_by, message_id } = event;
      return {
        running: { id, asked_by, message_id },
        messages: changed(messages, message_id, (message) => ({ ...message, reply_id: id })),
      };
    }
    case "reply_ended":
      return {
        messages: withMessage(messages, event.message),
        running: state.running?.id === event.reply_id ? null : state.running,
      };
  }
}

/** The state after an event; the same one where the event is known already, or behind a hole. */
export function apply(event: PersistedEvent, state: RoomState): RoomState {
  if (placeOf(event, state) !== "next") return state;
  return { ...state, ...change(event, state), seq: event.seq };
}

/** Earlier messages before those that are loaded. */
export function withEarlier(state: RoomState, page: RoomMessage[]): RoomState {
  const first = state.messages[0]?.seq ?? Number.POSITIVE_INFINITY;
  return { ...state, messages: [...page.filter(({ seq }) => seq < first), ...state.messages] };
}

/** Questions that wait for the tutor, in their order. */
export function queueOf({ messages }: RoomState): RoomMessage[] {
  return messages.filter(
    (message) => message.asks_tutor && !message.reply_id && !message.deleted_at,
  );
}

/** The first message after `since` that somebody else wrote and that is still there. */
export function firstNew(messages: RoomMessage[], since: number, me: string): RoomMessage | null {
  return (
    messages.find(
      (message) => message.seq > since && message.user_id !== me && !message.deleted_at,
    ) ?? null
  );
}
