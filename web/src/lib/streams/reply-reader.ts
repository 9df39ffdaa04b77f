// Reads one reply in this tab: over its own connection, or from the tab of this browser that has one. Event ids are
// the server's and count its characters, so they are compared with each other, never with the length of a text.
//
// | message between tabs | meaning |
// |---|---|
// | `hello` | asks the reading tab for its state |
// | `state` | everything so far, from the reading tab |
// | `event` | an event as the server sent it, with the id before it, so that a gap shows |
// | `lost` | whether the connection is lost |
import { api } from "../api/client";
import { Problem } from "../api/problem";
import type { ReplyEvents } from "../api/types";
import { SharedStream } from "./shared-stream";
import { pause, readEvents, type ServerEvent } from "./sse";

export interface ReplyHandlers {
  /** The reply begins. Its text is sent from the start, so text shown so far must go. */
  onStart: (start: ReplyEvents["message_start"]) => void;
  onDelta: (text: string) => void;
  /** The model thinks, or the server loads it. `delta` is all of the thinking so far. */
  onThinking: (thinking: ReplyEvents["thinking_delta"]) => void;
  onEnd: (end: ReplyEvents["message_complete"]) => void;
  onError: (error: ReplyEvents["error"]) => void;
  onConnection: (isLost: boolean) => void;
}

export type ReplySource =
  | {
      kind: "ask";
      /** Send the question. */
      open: (signal: AbortSignal) => Promise<Response>;
    }
  | {
      kind: "follow";
      replyId: string;
      /** Open the stream after an event, or from the start; by default that of a reply in a chat. */
      follow?: typeof api.followReply;
    };

type TabMessage =
  | { kind: "hello" }
  | {
      kind: "state";
      start: ReplyEvents["message_start"];
      text: string;
      thinking: ReplyEvents["thinking_delta"];
      lastId: string | null;
    }
  | { kind: "event"; event: ServerEvent; after: string | null }
  | { kind: "lost"; lost: boolean };

/** A tab that takes over waits this long, so that it still receives what the last reader posted. */
const TAKEOVER_MS = 100;
/** The tab that asked keeps the lock this long after the end. A busy tab that has not received the end would read again. */
const LINGER_MS = 1_000;
const UNAVAILABLE = [502, 503, 504];
const NO_THINKING: ReplyEvents["thinking_delta"] = { delta: "", is_loading: false };

export class ReplyReader {
  replyId: string | null = null;
  ended = false;
  /** Called when the reply ends in another tab while this tab waits for its turn to read. */
  onEnded: () => void = () => undefined;
  private start: ReplyEvents["message_start"] | null = null;
  private text = "";
  private thinking = NO_THINKING;
  private lastId: string | null = null;
  private isReading = false;
  private tabs: SharedStream<TabMessage> | null = null;

  constructor(
    private readonly source: ReplySource,
    private readonly handlers: ReplyHandlers,
  ) {
    if (source.kind === "follow") this.joinTabs(source.replyId);
  }

  private joinTabs(replyId: string): void {
    this.replyId = replyId;
    this.tabs ??= new SharedStream<TabMessage>(`tutordesk.reply.${replyId}`, (message) =>
      this.receive(message),
    );
  }

  private receive(message: TabMessage): void {
    if (message.kind === "hello" || this.isReading) {
      if (message.kind === "hello" && this.isReading) this.postState();
    } else if (message.kind === "state") {
      this.catchUp(message);
    } else if (message.kind === "lost") {
      this.handlers.onConnection(message.lost);
    } else {
      this.receiveEvent(message);
    }
    if (this.ended) this.onEnded();
  }

  private receiveEvent({ event, after }: Extract<TabMessage, { kind: "event" }>): void {
    // A second start is known already; any other event before the start comes with the state.
    if (event.event === "message_start" ? this.start : !this.start) return;
    if (event.event !== "message_delta" || after === this.lastId) this.take(event);
    else if (Number(event.id) > Number(this.lastId)) this.tabs?.post({ kind: "hello" });
  }

  private catchUp(state: Extract<TabMessage, { kind: "state" }>): void {
    const { start, text, thinking, lastId } = state;
    if (this.start && Number(lastId) <= Number(this.lastId)) return;
    const continues = this.start !== null && text.startsWith(this.text);
    if (!continues) this.handlers.onStart(start);
    this.handlers.onThinking(thinking);
    this.handlers.onDelta(continues ? text.slice(this.text.length) : text);
    this.handlers.onConnection(false);
    this.start = start;
    this.text = text;
    this.thinking = thinking;
    this.lastId = lastId;
  }

  private postState(): void {
    const { start, text, thinking, lastId } = this;
    if (start) this.tabs?.post({ kind: "state", start, text, thinking, lastId });
  }

  private begin(start: ReplyEvents["message_start"]): void {
    this.start = start;
    this.text = "";
    this.thinking = NO_THINKING;
    this.lastId = null;
    this.joinTabs(start.id);
    this.handlers.onStart(start);
  }

  private grow({ delta }: ReplyEvents["message_delta"]): void {
    this.text += delta;
    this.handlers.onDelta(delta);
  }

  private think({ delta, is_loading }: ReplyEvents["thinking_delta"]): void {
    this.thinking = { delta: this.thinking.delta + delta, is_loading };
    this.handlers.onThinking(this.thinking);
  }

  /** Take one event. Returns whether it was the last one. */
  private take({ event, data, id }: ServerEvent): boolean {
    if (id) this.lastId = id;
    if (event === "message_start") {
      this.begin(JSON.parse(data));
    } else if (event === "message_delta") {
      this.grow(JSON.parse(data));
    } else if (event === "thinking_delta") {
      this.think(JSON.parse(data));
    } else if (event === "message_complete") {
      this.ended = true;
      this.handlers.onEnd(JSON.parse(data));
    } else if (event === "error") {
      this.ended = true;
      this.handlers.onError(JSON.parse(data));
    }
    return event === "done";
  }

  private connect(signal: AbortSignal): Promise<Response> {
    const { source, replyId, lastId } = this;
    if (source.kind === "follow") {
      return (source.follow ?? api.followReply)(source.replyId, lastId, signal);
    }
    return replyId ? api.followReply(replyId, lastId, signal) : source.open(signal);
  }

  /**
   * Read the reply, or follow the tab that does. The stream that a question opened is read at once, even if another
   * tab began to read the same reply; any other stream waits until no tab reads.
   * Returns true once the reply is over, false if it must be resumed.
   */
  async attempt(signal: AbortSignal, mayRetry: boolean, onAlive: () => void): Promise<boolean> {
    if (!this.replyId) {
      const reading: Promise<boolean> = this.read(signal, mayRetry, onAlive, () => {
        const untilAllKnow = async () => {
          if (await reading) await pause(LINGER_MS, signal);
        };
        // A failure is reported by `reading` itself, below.
        this.tabs?.lead(untilAllKnow, { signal, claim: true }).catch(() => undefined);
      });
      return reading;
    }
    this.isReading = false; // also if another tab has just claimed the stream of this one
    this.tabs?.post({ kind: "hello" });
    const lead = async (leading: AbortSignal, hasWaited: boolean) => {
      if (hasWaited) await pause(TAKEOVER_MS, leading);
      return this.ended || this.read(leading, mayRetry, onAlive);
    };
    return this.tabs ? this.tabs.lead(lead, { signal }) : lead(signal, false);
  }

  private async read(
    signal: AbortSignal,
    mayRetry: boolean,
    onAlive: () => void,
    onStarted?: () => void,
  ): Promise<boolean> {
    this.isReading = true;
    try {
      const response = await this.connect(signal);
      this.setConnection(false);
      let isDone = false;
      await readEvents(response, (event) => {
        onAlive();
        const after = this.lastId;
        isDone = this.take(event);
        this.tabs?.post({ kind: "event", event, after });
        if (event.event === "message_start") onStarted?.();
        return isDone;
      });
      return isDone || this.ended;
    } catch (error) {
      if (mayRetry && error instanceof Problem && UNAVAILABLE.includes(error.status)) return false;
      throw error;
    } finally {
      this.isReading = false;
    }
  }

  /** Tell this tab and the others whether the connection is lost. */
  setConnection(isLost: boolean): void {
    this.handlers.onConnection(isLost);
    this.tabs?.post({ kind: "lost", lost: isLost });
  }

  close(): void {
    this.tabs?.close();
  }
}
