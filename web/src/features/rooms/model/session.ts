// One open room: reads it and its newest messages, then follows its socket from that `seq` on, and sends what is
// written. Nothing falls in between, and nothing comes twice (see room-state.ts). One session a room and tab.
import type { QueryClient } from "@tanstack/react-query";
import { api, Problem } from "@/lib/api";
import { NO_IDENTITY, NO_SUCH_ROOM, RoomSocket } from "@/lib/room-socket";
import type { RoomEvent, RoomMessage, RoomOut } from "@/lib/types";
import { toast } from "@/ui/toast";
import { AnswerFollower } from "./answer-follower";
import { refreshLists, seenInLists } from "./list-cache";
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
import { announce, EMPTY_VIEW, patchView, type RoomView, viewOf } from "./store";
import { heard, TypingLine } from "./typing";

const PAGE = 50;
/** So much missed is read anew instead of replayed. */
const MOST_REPLAYED = 400;
const MOST_ANNOUNCED = 160;

type Refused = Extract<RoomEvent, { type: "error" }>;

export class RoomSession {
  readonly sender: Sender;
  readonly typing: TypingLine;
  private socket: RoomSocket | null = null;
  private readonly answers = new AnswerFollower();
  private readonly gone = new AbortController();

  constructor(
    private readonly id: string,
    private readonly me: string | null,
    private readonly client: QueryClient,
  ) {
    this.sender = new Sender(id, me ?? "", (command) => this.socket?.send(command) ?? false);
    this.typing = new TypingLine(() => this.socket?.send({ type: "typing" }));
  }

  /** Shows the room as it was known, or as it is loaded, and keeps it current until `close`. */
  async open(): Promise<void> {
    if (viewOf(this.id).me !== this.me) patchView(this.id, { ...EMPTY_VIEW, me: this.me });
    try {
      await this.load();
    } catch (error) {
      if (this.gone.signal.aborted) return;
      const isMissing = error instanceof Problem && [404, 422].includes(error.status);
      if (isMissing) patchView(this.id, { phase: "missing", state: null });
      else if (!viewOf(this.id).state) patchView(this.id, { phase: "failed", error });
      else this.connect();
    }
  }

  close(): void {
    this.gone.abort();
    this.disconnect();
    this.typing.stop();
    patchView(this.id, { connection: "connecting", present: [], typing: {} });
  }

  private disconnect(): void {
    this.socket?.close();
    this.socket = null;
    this.answers.stop();
    this.sender.pause();
  }

  private async load(): Promise<void> {
    const { signal } = this.gone;
    const room = await api.readRoom(this.id, signal);
    if (!room.is_member) {
      patchView(this.id, { room, state: null, phase: "outside" });
      return;
    }
    const known = viewOf(this.id).state;
    const isRecent = known && known.seq <= room.seq && room.seq - known.seq < MOST_REPLAYED;
    if (isRecent) {
      patchView(this.id, { ...standing(room), phase: "open" });
    } else {
      const limit = room.unread >= PAGE ? 2 * PAGE : PAGE;
      const page = await api.listRoomMessages(this.id, { limit }, signal);
      if (signal.aborted) return;
      this.show(room, page.data, page.next !== null);
    }
    if (!signal.aborted) this.connect();
  }

  private show(room: RoomOut, messages: RoomMessage[], hasEarlier: boolean): void {
    const part: Partial<RoomView> = {
      ...standing(room),
      phase: "open",
      error: null,
      state: stateOf(room, messages),
      earlier: hasEarlier ? "more" : "none",
      isSignedOut: false,
    };
    patchView(this.id, part);
  }

  private connect(): void {
    this.sender.recall();
    this.follow();
    this.socket = new RoomSocket(this.id, {
      after: () => viewOf(this.id).state?.seq ?? 0,
      onEvent: (event) => this.hear(event),
      onConnection: (isLive) => {
        patchView(this.id, { connection: isLive ? "live" : "lost", flooded: "" });
        if (isLive) this.sender.resend();
        else this.sender.pause();
      },
      onFlood: (flooded) => patchView(this.id, { flooded }),
      onEnd: (code) => void this.end(code),
    });
  }

  private hear(event: RoomEvent): void {
    if (isPersisted(event)) this.take(event);
    else if (event.type === "presence") patchView(this.id, { present: event.user_ids });
    else if (event.type === "typing") heard(this.id, event.user_id, this.me);
    else if (event.type === "error") this.refused(event);
  }

  private take(event: PersistedEvent): void {
    const { state, typing } = viewOf(this.id);
    if (!state) return;
    if (placeOf(event, state) === "hole") {
      this.socket?.reconnect();
      return;
    }
    const next = apply(event, state);
    const part: Partial<RoomView> = next === state ? {} : { state: next };
    if (event.type === "message_posted") {
      const { user_id: author } = event.message;
      part.outbox = this.sender.confirm(event.message);
      if (author) part.typing = { ...typing, [author]: 0 };
    }
    patchView(this.id, part);
    if (next === state) return;
    this.follow();
    this.tell(event);
    refreshLists(this.client);
  }

  /** The tutor's answer that runs, if one does. */
  private follow(): void {
    this.answers.follow(viewOf(this.id).state?.running?.id ?? null);
  }

  /** For who listens: what has ended, not what grows. */
  private tell(event: PersistedEvent): void {
    if (event.type === "message_posted" && event.message.user_id !== this.me) {
      announce(`${event.message.name}: ${event.message.content.slice(0, MOST_ANNOUNCED)}`);
    } else if (event.type === "message_deleted") {
      announce("A message was deleted");
    } else if (event.type === "reply_started") {
      announce("The tutor is answering");
    } else if (event.type === "reply_ended") {
      const { status, content } = event.message;
      const ended = { stopped: "Stopped", interrupted: "Interrupted", failed: "Failed" };
      const words = ended[status as keyof typeof ended] ?? "Answer ready";
      announce(`${words}: ${content.slice(0, MOST_ANNOUNCED)}`);
    }
  }

  private refused({ error, code, client_message_id: id }: Refused): void {
    if (id) this.sender.refused(id, code, error);
    else toast(error);
  }

  private async end(code: number): Promise<void> {
    this.disconnect();
    refreshLists(this.client);
    if (code === NO_IDENTITY) patchView(this.id, { isSignedOut: true });
    else if (code === NO_SUCH_ROOM) patchView(this.id, { phase: "missing", state: null });
    else await this.lookAgain();
  }

  private async lookAgain(): Promise<void> {
    // Put out, or left in another tab: the room itself says which.
    try {
      const room = await api.readRoom(this.id, this.gone.signal);
      patchView(this.id, { room, phase: "outside", state: null });
    } catch {
      if (!this.gone.signal.aborted) patchView(this.id, { phase: "missing", state: null });
    }
  }

  /** Messages before those that are loaded. */
  async loadEarlier(): Promise<void> {
    const { state, earlier } = viewOf(this.id);
    if (!state || earlier !== "more") return;
    patchView(this.id, { earlier: "loading" });
    try {
      const before = state.messages[0]?.seq;
      const page = await api.listRoomMessages(this.id, { before }, this.gone.signal);
      const now = viewOf(this.id).state;
      if (!now) return;
      const more = page.next === null ? "none" : "more";
      patchView(this.id, { state: withEarlier(now, page.data), earlier: more });
    } catch (error) {
      patchView(this.id, { earlier: "more" });
      if (!this.gone.signal.aborted) toast(`Not loaded. ${(error as Error).message}`);
    }
  }

  /** All that is there now was seen. */
  markRead(): void {
    const { state, readSeq } = viewOf(this.id);
    if (!state || (state.messages.at(-1)?.seq ?? 0) <= readSeq) return;
    if (!this.socket?.send({ type: "read", seq: state.seq })) return;
    patchView(this.id, { readSeq: state.seq });
    seenInLists(this.client, this.id, state.seq);
  }

  /** The reader looks elsewhere: what comes from now on is new to them. */
  lookAway(): void {
    const { state, readSeq } = viewOf(this.id);
    if (state) patchView(this.id, { since: readSeq });
  }

  /** And back: where nothing came, what comes now is seen as it comes. */
  lookBack(): void {
    const { state, since } = viewOf(this.id);
    if (state && !firstNew(state.messages, since, this.me ?? "")) {
      patchView(this.id, { since: Number.POSITIVE_INFINITY });
    }
  }
}

/** The room's facts, and what its reader has seen of it. */
function standing(room: RoomOut): Partial<RoomView> {
  const since = room.unread > 0 ? room.read_seq : Number.POSITIVE_INFINITY;
  return { room, since, readSeq: room.read_seq };
}
