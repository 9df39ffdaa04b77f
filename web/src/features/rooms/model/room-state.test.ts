// Every event of a room against a small server that stores what the real one stores. Applied to any earlier state, the
// events give the state that the server would send now. Known events, and events after a gap, change nothing.
import { describe, expect, test } from "vitest";
import type { RoomMember, RoomMessage } from "@/lib/api/types";
import {
  apply,
  type PersistedEvent,
  placeOf,
  type RoomState,
  waitingQuestions,
  withEarlier,
} from "./room-state";

const NOW = "2026-11-25T10:00:00Z";

function member(user_id: string, part: Partial<RoomMember> = {}): RoomMember {
  return { user_id, name: user_id, role: "member", joined_at: NOW, is_silenced: false, ...part };
}

function message(id: string, seq: number, part: Partial<RoomMessage> = {}): RoomMessage {
  return {
    id,
    room_id: "r",
    seq,
    user_id: "ana",
    is_agent: false,
    name: "ana",
    content: `text of ${id}`,
    created_at: NOW,
    edited_at: null,
    deleted_at: null,
    client_message_id: null,
    mentions: [],
    asks_tutor: false,
    reply_id: null,
    status: null,
    error: null,
    thinking: null,
    ...part,
  };
}

/** What the server stores: documents in their current form, and the events that led there. */
class Server {
  state: RoomState = { seq: 0, messages: [], members: [], running: null };
  history: PersistedEvent[] = [];

  private record(event: PersistedEvent, part: Partial<RoomState>): PersistedEvent {
    this.state = { ...this.state, ...part, seq: event.seq };
    this.history.push(event);
    return event;
  }
  private get next(): number {
    return this.state.seq + 1;
  }
  private edited(id: string, part: Partial<RoomMessage>): RoomMessage[] {
    return this.state.messages.map((message) =>
      message.id === id ? { ...message, ...part } : message,
    );
  }
  private find(id: string): RoomMessage {
    const message = this.state.messages.find((candidate) => candidate.id === id);
    if (!message) throw new Error(id);
    return message;
  }
  join(id: string) {
    const { members } = this.state;
    const event = { type: "member_joined", seq: this.next, member: member(id) } as const;
    return this.record(event, { members: [...members, event.member] });
  }
  leave(id: string) {
    const members = this.state.members.filter(({ user_id }) => user_id !== id);
    return this.record({ type: "member_left", seq: this.next, member: member(id) } as const, {
      members,
    });
  }
  silence(id: string) {
    const changed = member(id, { is_silenced: true });
    const members = this.state.members.map((known) => (known.user_id === id ? changed : known));
    return this.record({ type: "member_changed", seq: this.next, member: changed } as const, {
      members,
    });
  }
  post(id: string, part: Partial<RoomMessage> = {}) {
    const posted = message(id, this.next, part);
    return this.record({ type: "message_posted", seq: posted.seq, message: posted } as const, {
      messages: [...this.state.messages, posted],
    });
  }
  edit(id: string, content: string) {
    const messages = this.edited(id, { content, edited_at: NOW });
    const seq = this.next;
    this.state = { ...this.state, messages };
    return this.record({ type: "message_edited", seq, message: this.find(id) } as const, {});
  }
  remove(id: string) {
    const messages = this.edited(id, { content: "", mentions: [], deleted_at: NOW });
    return this.record(
      { type: "message_deleted", seq: this.next, message_id: id, deleted_at: NOW } as const,
      { messages },
    );
  }
  start(reply_id: string, message_id: string) {
    const running = { id: reply_id, asked_by: "ana", message_id };
    const messages = this.edited(message_id, { reply_id });
    return this.record(
      { type: "reply_started", seq: this.next, reply_id, asked_by: "ana", message_id } as const,
      { running, messages },
    );
  }
  end(reply_id: string) {
    const part = { user_id: null, is_agent: true, name: "Tutor", reply_id, status: "complete" };
    const answer = message(reply_id, this.next, part as Partial<RoomMessage>);
    return this.record(
      { type: "reply_ended", seq: answer.seq, reply_id, message: answer } as const,
      { running: null, messages: [...this.state.messages, answer] },
    );
  }
  /** Return the events of a replay, with messages in their current form. */
  replay(after: number): PersistedEvent[] {
    return this.history
      .filter(({ seq }) => seq > after)
      .map((event) =>
        "message" in event ? { ...event, message: this.find(event.message.id) } : event,
      );
  }
}

/** The steps of a lively room; each returns its event. */
const STEPS: ((server: Server) => PersistedEvent)[] = [
  (server) => server.join("ana"),
  (server) => server.join("bob"),
  (server) => server.post("m1"),
  (server) => server.post("m2", { user_id: "bob", name: "bob", mentions: ["ana"] }),
  (server) => server.edit("m1", "better"),
  (server) => server.post("q1", { asks_tutor: true }),
  (server) => server.start("a1", "q1"),
  (server) => server.post("q2", { asks_tutor: true }),
  (server) => server.join("chen"),
  (server) => server.remove("m2"),
  (server) => server.end("a1"),
  (server) => server.start("a2", "q2"),
  (server) => server.silence("bob"),
  (server) => server.edit("q2", "shorter"),
  (server) => server.remove("q1"),
  (server) => server.end("a2"),
  (server) => server.leave("bob"),
];

function playSteps(steps = STEPS.length) {
  const server = new Server();
  const states = [server.state];
  for (const step of STEPS.slice(0, steps)) {
    step(server);
    states.push(server.state);
  }
  return { server, states };
}

const applyAll = (events: PersistedEvent[], state: RoomState) =>
  events.reduce((current, event) => apply(event, current), state);

test("each event gives the state that the server would send now", () => {
  const { server, states } = playSteps();
  for (const [index, event] of server.history.entries()) {
    expect(apply(event, states[index] as RoomState)).toEqual(states[index + 1]);
  }
});

test("live and replayed events lead from any old state to the current one", () => {
  const { server, states } = playSteps();
  for (const old of states) {
    expect(applyAll(server.history, old)).toEqual(server.state);
    expect(applyAll(server.replay(old.seq), old)).toEqual(server.state);
  }
});

test("messages that were loaded after the room appear once", () => {
  const { server, states } = playSteps();
  for (const old of states) {
    const early = { ...old, messages: server.state.messages };
    expect(applyAll(server.replay(old.seq), early)).toEqual(server.state);
  }
});

test("repeated events change nothing", () => {
  const { server, states } = playSteps();
  const twice = server.history.flatMap((event) => [event, event]);
  expect(applyAll([...twice, ...server.history], states[0] as RoomState)).toEqual(server.state);
  const last = server.history.at(-1) as PersistedEvent;
  expect(apply(last, server.state)).toBe(server.state);
});

test("an event after a gap changes nothing", () => {
  const { server, states } = playSteps();
  const [first] = states as [RoomState];
  const [event1, event2, event3] = server.history as [
    PersistedEvent,
    PersistedEvent,
    PersistedEvent,
  ];
  expect(placeOf(event1, first)).toBe("next");
  expect(placeOf(event3, first)).toBe("gap");
  expect(apply(event3, first)).toBe(first);
  expect(placeOf(event1, applyAll([event1, event2], first))).toBe("known");
});

describe("a single event", () => {
  const { states } = playSteps(8);
  const state = states[8] as RoomState;

  test("reply_started gives the question its reply and takes it from the queue", () => {
    const before = states[6] as RoomState;
    expect(waitingQuestions(before).map(({ id }) => id)).toEqual(["q1"]);
    const after = states[7] as RoomState;
    expect(waitingQuestions(after)).toEqual([]);
    expect(after.messages.find(({ id }) => id === "q1")?.reply_id).toBe("a1");
    expect(waitingQuestions(state).map(({ id }) => id)).toEqual(["q2"]);
  });

  test("message_deleted leaves an empty message, and no question in the queue", () => {
    const event = { type: "message_deleted", seq: 9, message_id: "q2", deleted_at: NOW } as const;
    const after = apply(event, state);
    expect(after.messages).toHaveLength(state.messages.length);
    expect(after.messages.at(-1)).toMatchObject({ id: "q2", content: "", deleted_at: NOW });
    expect(waitingQuestions(after)).toEqual([]);
  });

  test("an edit of a message that is not loaded changes no message", () => {
    const edited = message("old", 1, { content: "new" });
    const after = apply({ type: "message_edited", seq: 9, message: edited }, state);
    expect(after.messages).toEqual(state.messages);
    expect(after.seq).toBe(9);
  });

  test("the end of another reply does not end the running answer", () => {
    const answer = message("a0", 9, { is_agent: true, user_id: null });
    const event = { type: "reply_ended", seq: 9, reply_id: "a0", message: answer } as const;
    expect(apply(event, state).running).toEqual(state.running);
  });
});

test("earlier messages go before the loaded ones, once", () => {
  const { server } = playSteps();
  const { messages } = server.state;
  const late = { ...server.state, messages: messages.slice(3) };
  expect(withEarlier(late, messages.slice(0, 4))).toEqual(server.state);
});
