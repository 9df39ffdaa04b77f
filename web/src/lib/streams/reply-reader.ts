// One reply as this tab reads it: over its own connection, or from the tab of this browser that has one.
// Tabs tell each other (see lib/shared-stream): | hello | asks for the state | state | all so far, from the
// reader | event | as the server sent it, with the id before it, so that a gap shows | lost | the connection |.
// Ids are the server's and count its characters: they are compared with each other, never with a length.
import { api } from "../api/client";
import { Problem } from "../api/problem";
import type { ReplyEvents } from "../api/types";
import { SharedStream } from "./shared-stream";
import { pause, readEvents, type ServerEvent } from "./sse";

export interface ReplyHandlers {
  /** The reply begins; text shown so far is to be forgotten, for it is sent from the start. */
  onStart: (start: ReplyEvents["message_start"]) => void;
  onDelta: (text: string) => void;
  onEnd: (end: ReplyEvents["message_complete"]) => void;
  onError: (error: ReplyEvents["error"]) => void;
  onConnection: (lost: boolean) => void;
}

export type ReplySource =
  | {
      kind: "ask";
      /** Sends the question. */
      open: (signal: AbortSignal) => Promise<Response>;
    }
  | {
      kind: "follow";
      replyId: string;
      /** Opens its stream after an event, or from the start; a chat's by default. */
      follow?: typeof api.followReply;
    };

type Word =
  | { kind: "hello" }
  | { kind: "state"; start: ReplyEvents["message_start"]; text: string; lastId: string | null }
  | { kind: "event"; event: ServerEvent; after: string | null }
  | { kind: "lost"; lost: boolean };

/** Before a tab that waited connects, so that what the last reader said still comes in. */
const TAKEOVER_MS = 100;
const UNAVAILABLE = [502, 503, 504];

export class ReplyReader {
  replyId: string | null = null;
  ended = false;
  /** Called when another tab's words end the reply, while this one waits for its turn to read. */
  onEnded: () => void = () => undefined;
  private start: ReplyEvents["message_start"] | null = null;
  private text = "";
  private lastId: string | null = null;
  private leading = false;
  private tabs: SharedStream<Word> | null = null;

  constructor(
    private readonly source: ReplySource,
    private readonly handlers: ReplyHandlers,
  ) {
    if (source.kind === "follow") this.open(source.replyId);
  }

  private open(replyId: string): void {
    this.replyId = replyId;
    this.tabs ??= new SharedStream<Word>(`tutordesk.reply.${replyId}`, (word) => this.hear(word));
  }

  private hear(word: Word): void {
    if (word.kind === "hello" || this.leading) {
      if (word.kind === "hello" && this.leading) this.tellState();
    } else if (word.kind === "state") {
      this.catchUp(word);
    } else if (word.kind === "lost") {
      this.handlers.onConnection(word.lost);
    } else {
      this.hearEvent(word);
    }
    if (this.ended) this.onEnded();
  }

  private hearEvent({ event, after }: Extract<Word, { kind: "event" }>): void {
    if (event.event === "message_start" ? this.start : !this.start) return; // known; or the state comes
    if (event.event !== "message_delta" || after === this.lastId) this.take(event);
    else if (Number(event.id) > Number(this.lastId)) this.tabs?.post({ kind: "hello" });
  }

  private catchUp({ start, text, lastId }: Extract<Word, { kind: "state" }>): void {
    if (this.start && Number(lastId) <= Number(this.lastId)) return;
    const goesOn = this.start !== null && text.startsWith(this.text);
    if (!goesOn) this.handlers.onStart(start);
    this.handlers.onDelta(goesOn ? text.slice(this.text.length) : text);
    this.handlers.onConnection(false);
    this.start = start;
    this.text = text;
    this.lastId = lastId;
  }

  private tellState(): void {
    const { start, text, lastId } = this;
    if (start) this.tabs?.post({ kind: "state", start, text, lastId });
  }

  /** Takes one event; true when it was the last one. */
  private take({ event, data, id }: ServerEvent): boolean {
    if (id) this.lastId = id;
    const value = JSON.parse(data || "null");
    if (event === "message_start") {
      this.start = value;
      this.text = "";
      this.lastId = null;
      this.open(value.id);
      this.handlers.onStart(value);
    } else if (event === "message_delta") {
      const delta = String(value.delta ?? "");
      this.text += delta;
      this.handlers.onDelta(delta);
    } else if (event === "message_complete") {
      this.ended = true;
      this.handlers.onEnd(value);
    } else if (event === "error") {
      this.ended = true;
      this.handlers.onError(value);
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
   * Reads, or hears of, the reply until it is over (true) or is to be resumed (false). The stream that a
   * question opened is its reply's, whoever else began to read; any other waits until no tab reads.
   */
  async attempt(signal: AbortSignal, mayRetry: boolean, onAlive: () => void): Promise<boolean> {
    if (!this.replyId) {
      const reading: Promise<boolean> = this.read(signal, mayRetry, onAlive, () => {
        const whileReading = () => reading.then(() => true);
        // What ends the reading is told by `reading` itself, below.
        this.tabs?.lead(whileReading, { signal, claim: true }).catch(() => undefined);
      });
      return reading;
    }
    this.leading = false; // also when another tab has just claimed what this one read
    this.tabs?.post({ kind: "hello" });
    const lead = async (own: AbortSignal, waited: boolean) => {
      if (waited) await pause(TAKEOVER_MS, own);
      return this.ended || this.read(own, mayRetry, onAlive);
    };
    return this.tabs ? this.tabs.lead(lead, { signal }) : lead(signal, false);
  }

  private async read(
    signal: AbortSignal,
    mayRetry: boolean,
    onAlive: () => void,
    onStarted?: () => void,
  ): Promise<boolean> {
    this.leading = true;
    try {
      const response = await this.connect(signal);
      this.connection(false);
      let done = false;
      await readEvents(response, (event) => {
        onAlive();
        const after = this.lastId;
        done = this.take(event);
        this.tabs?.post({ kind: "event", event, after });
        if (event.event === "message_start") onStarted?.();
        return done;
      });
      return done || this.ended;
    } catch (error) {
      if (mayRetry && error instanceof Problem && UNAVAILABLE.includes(error.status)) return false;
      throw error;
    } finally {
      this.leading = false;
    }
  }

  /** Tells this tab and the others that the connection is lost, or back. */
  connection(lost: boolean): void {
    this.handlers.onConnection(lost);
    this.tabs?.post({ kind: "lost", lost });
  }

  close(): void {
    this.tabs?.close();
  }
}
