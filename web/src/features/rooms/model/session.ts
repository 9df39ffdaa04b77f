// One open room: reads it and its newest messages, follows its socket from that `seq` on, and sends what is written.
// No event is lost in between and none applied twice (see room-state.ts). Each tab has one session per open room.
import type { QueryClient } from "@tanstack/react-query";
import { api } from "@/lib/api/client";
import { Problem, sentenceOf } from "@/lib/api/problem";
import type { RoomEvent, RoomMessage, RoomOut } from "@/lib/api/types";
import { NO_IDENTITY, NO_SUCH_ROOM, RoomSocket } from "@/lib/streams/room-socket";
import { toast } from "@/ui/toast";
import { AnswerFollower } from "./answer-follower";
import { markReadInLists, refreshLists } from "./list-cache";
import {
  apply,
  firstNew,
  isPersisted,
  type PersistedEvent,
  placeOf,
  stateOf,
  withEarlier,
} from "./room-state";
import { Sender } from "./sender";
import { announce, EMPTY_VIEW, type RoomView, updateView, viewOf } from "./store";
import { showTyping, TypingNotifier } from "./typing";

const PAGE_SIZE = 50;
/** A room that is this many events behind is loaded again instead of replayed. */
const MAX_REPLAYED_EVENTS = 400;
const MAX_ANNOUNCED_CHARS = 160;
const ENDED_WORDS: Record<string, string> = {
  stopped: "Stopped",
  interrupted: "Interrupted",
  failed: "Failed",
};

type ErrorEvent = Extract<RoomEvent, { type: "error" }>;

export class RoomSession {
  readonly sender: Sender;
  readonly typing: TypingNotifier;
  private socket: RoomSocket | null = null;
  private readonly answers = new AnswerFollower();
  private readonly closing = new AbortController();

  constructor(
    private readonly id: string,
    private readonly me: string | null,
    private readonly client: QueryClient,
  ) {
    this.sender = new Sender(id, me ?? "", (command) => this.socket?.send(command) ?? false);
    this.typing = new TypingNotifier(() => this.socket?.send({ type: "typing" }));
  }

  /** Show the room, from what is known if that is recent, and keep it current until `close`. */
  async open(): Promise<void> {
    if (viewOf(this.id).me !== this.me) updateView(this.id, { ...EMPTY_VIEW, me: this.me });
    try {
      await this.load();
    } catch (error) {
      if (this.closing.signal.aborted) return;
      const isMissing = error instanceof Problem && [404, 422].includes(error.status);
      if (isMissing) updateView(this.id, { phase: "missing", state: null });
      else if (!viewOf(this.id).state) updateView(this.id, { phase: "failed", error });
      else this.connect();
    }
  }

  close(): void {
    this.closing.abort();
    this.disconnect();
    this.typing.stop();
    updateView(this.id, { connection: "connecting", presentIds: [], typing: {} });
  }

  private disconnect(): void {
    this.socket?.close();
    this.socket = null;
    this.answers.stop();
    this.sender.pause();
  }

  private async load(): Promise<void> {
    const { signal } = this.closing;
    const room = await api.readRoom(this.id, signal);
    if (!room.is_member) {
      updateView(this.id, { room, state: null, phase: "not-joined" });
      return;
    }
    const known = viewOf(this.id).state;
    const isRecent = known && known.seq <= room.seq && room.seq - known.seq < MAX_REPLAYED_EVENTS;
    if (isRecent) {
      updateView(this.id, { ...membershipOf(room), phase: "joined" });
    } else {
      const limit = room.unread >= PAGE_SIZE ? 2 * PAGE_SIZE : PAGE_SIZE;
      const page = await api.listRoomMessages(this.id, { limit }, signal);
      if (signal.aborted) return;
      this.show(room, page.data, page.next !== null);
    }
    if (!signal.aborted) this.connect();
  }

  private show(room: RoomOut, messages: RoomMessage[], hasEarlier: boolean): void {
    const part: Partial<RoomView> = {
      ...membershipOf(room),
      phase: "joined",
      error: null,
      state: stateOf(room, messages),
      earlier: hasEarlier ? "more" : "none",
      isSignedOut: false,
    };
    updateView(this.id, part);
  }

  private connect(): void {
    this.sender.restore();
    this.followAnswer();
    this.socket = new RoomSocket(this.id, {
      after: () => viewOf(this.id).state?.seq ?? 0,
      onEvent: (event) => this.receive(event),
      onConnection: (isLive) => {
        updateView(this.id, { connection: isLive ? "live" : "lost", floodReason: "" });
        if (isLive) this.sender.resend();
        else this.sender.pause();
      },
      onFlood: (floodReason) => updateView(this.id, { floodReason }),
      onEnd: (code) => void this.onClosed(code),
    });
  }

  private receive(event: RoomEvent): void {
    if (isPersisted(event)) this.applyEvent(event);
    else if (event.type === "presence") updateView(this.id, { presentIds: event.user_ids });
    else if (event.type === "typing") showTyping(this.id, event.user_id, this.me);
    else if (event.type === "error") this.showError(event);
  }

  private applyEvent(event: PersistedEvent): void {
    const { state, typing, room } = viewOf(this.id);
    if (!state) return;
    if (placeOf(event, state) === "gap") {
      this.socket?.reconnect();
      return;
    }
    const next = apply(event, state);
    const part: Partial<RoomView> = next === state ? {} : { state: next };
    if (event.type === "message_posted") {
      const { user_id: author } = event.message;
      part.outbox = this.sender.confirm(event.message);
      if (author) part.typing = { ...typing, [author]: 0 };
    } else if (event.type === "room_changed" && room) {
      const { name, topic } = event.room;
      part.room = { ...room, name, topic };
    }
    updateView(this.id, part);
    if (next === state) return;
    this.followAnswer();
    this.announceEvent(event);
    refreshLists(this.client);
  }

  /** Follow the tutor's running answer, if there is one. */
  private followAnswer(): void {
    this.answers.follow(viewOf(this.id).state?.running?.id ?? null);
  }

  /** Tell screen readers what has ended, not what grows. */
  private announceEvent(event: PersistedEvent): void {
    if (event.type === "message_posted" && event.message.user_id !== this.me) {
      announce(`${event.message.name}: ${event.message.content.slice(0, MAX_ANNOUNCED_CHARS)}`);
    } else if (event.type === "message_deleted") {
      announce("A message was deleted");
    } else if (event.type === "room_changed") {
      announce(`The room is ${event.room.name}. ${event.room.topic}`.trim());
    } else if (event.type === "reply_started") {
      announce("The tutor is answering");
    } else if (event.type === "reply_ended") {
      const { status, content } = event.message;
      const words = ENDED_WORDS[status ?? ""] ?? "Answer ready";
      announce(`${words}: ${content.slice(0, MAX_ANNOUNCED_CHARS)}`);
    }
  }

  private showError({ error, code, client_message_id: id }: ErrorEvent): void {
    if (id) this.sender.refuse(id, code, error);
    else toast(error);
  }

  private async onClosed(code: number): Promise<void> {
    this.disconnect();
    refreshLists(this.client);
    if (code === NO_IDENTITY) updateView(this.id, { isSignedOut: true });
    else if (code === NO_SUCH_ROOM) updateView(this.id, { phase: "missing", state: null });
    else await this.recheckMembership();
  }

  private async recheckMembership(): Promise<void> {
    // An admin removed the user, or they left in another tab: the room says which.
    try {
      const room = await api.readRoom(this.id, this.closing.signal);
      updateView(this.id, { room, phase: "not-joined", state: null });
    } catch {
      if (!this.closing.signal.aborted) updateView(this.id, { phase: "missing", state: null });
    }
  }

  /** Load the page of messages before the loaded ones. */
  async loadEarlier(): Promise<void> {
    const { state, earlier } = viewOf(this.id);
    if (!state || earlier !== "more") return;
    updateView(this.id, { earlier: "loading" });
    try {
      const before = state.messages[0]?.seq;
      const page = await api.listRoomMessages(this.id, { before }, this.closing.signal);
      const current = viewOf(this.id).state;
      if (!current) return;
      const remaining = page.next === null ? "none" : "more";
      updateView(this.id, { state: withEarlier(current, page.data), earlier: remaining });
    } catch (error) {
      updateView(this.id, { earlier: "more" });
      if (!this.closing.signal.aborted)
        toast(`Could not load earlier messages. ${sentenceOf(error)}`);
    }
  }

  /** Tell the server that every loaded message was read. */
  markRead(): void {
    const { state, readSeq } = viewOf(this.id);
    if (!state || (state.messages.at(-1)?.seq ?? 0) <= readSeq) return;
    if (!this.socket?.send({ type: "read", seq: state.seq })) return;
    updateView(this.id, { readSeq: state.seq });
    markReadInLists(this.client, this.id, state.seq);
  }

  /** The reader left the window: messages that come from now on are new to them. */
  markAway(): void {
    const { state, readSeq } = viewOf(this.id);
    if (state) updateView(this.id, { newAfter: readSeq });
  }

  /** The reader is back: if nothing new came, messages are read as they come. */
  markBack(): void {
    const { state, newAfter } = viewOf(this.id);
    if (state && !firstNew(state.messages, newAfter, this.me ?? "")) {
      updateView(this.id, { newAfter: Number.POSITIVE_INFINITY });
    }
  }
}

/** Return the part of a view that says what this user has read of the room. */
function membershipOf(room: RoomOut): Partial<RoomView> {
  const newAfter = room.unread > 0 ? room.read_seq : Number.POSITIVE_INFINITY;
  return { room, newAfter, readSeq: room.read_seq };
}
