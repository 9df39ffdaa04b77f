// Sends a room's messages: at once when connected, again after each connection, until the room tells of them.
// Sending twice is safe, for the server knows a message by its client_message_id.
import type { RoomCommand, RoomMessage } from "@/lib/types";
import {
  dropOutgoing,
  keepOutgoing,
  newOutgoing,
  type Outgoing,
  readOutbox,
  UNSURE_MS,
} from "./outbox";
import { patchView, viewOf } from "./store";

/** Refusals that pass by themselves. */
const PASSING = ["unavailable"];
const AGAIN_MS = 3_000;

export class Sender {
  private readonly timers = new Map<string, ReturnType<typeof setTimeout>>();

  constructor(
    private readonly roomId: string,
    private readonly me: string,
    private readonly post: (command: RoomCommand) => boolean,
  ) {}

  /** What an earlier page could not send. */
  recall(): void {
    const here = viewOf(this.roomId).outbox;
    const kept = readOutbox(this.roomId, this.me);
    const more = kept.filter(({ id }) => !here.some((one) => one.id === id));
    if (more.length > 0) this.show([...here, ...more]);
  }

  send(content: string): void {
    const message = newOutgoing(this.roomId, this.me, content);
    this.show([...viewOf(this.roomId).outbox, message]);
    keepOutgoing(message);
    this.transmit(message);
  }

  retry(id: string): void {
    const message = viewOf(this.roomId).outbox.find((one) => one.id === id);
    if (message) this.transmit(message);
  }

  /** Takes a message back; gives its text. */
  drop(id: string): string {
    const { outbox } = viewOf(this.roomId);
    dropOutgoing(id);
    this.show(outbox.filter((one) => one.id !== id));
    return outbox.find((one) => one.id === id)?.content ?? "";
  }

  /** Connected: everything that is not confirmed goes again. */
  resend(): void {
    for (const message of viewOf(this.roomId).outbox) {
      if (message.status !== "refused") this.transmit(message);
    }
  }

  /** Not connected: what was sent may have arrived or not. */
  pause(): void {
    for (const timer of this.timers.values()) clearTimeout(timer);
    this.timers.clear();
    for (const message of viewOf(this.roomId).outbox) {
      if (message.status === "sending") this.set(message.id, "unsure");
    }
  }

  /** The outbox without what the room has told of. */
  confirm(posted: RoomMessage): Outgoing[] {
    const { outbox } = viewOf(this.roomId);
    const id = posted.user_id === this.me ? posted.client_message_id : null;
    if (!id || !outbox.some((one) => one.id === id)) return outbox;
    clearTimeout(this.timers.get(id));
    this.timers.delete(id);
    dropOutgoing(id);
    return outbox.filter((one) => one.id !== id);
  }

  refused(id: string, code: string, sentence: string): void {
    clearTimeout(this.timers.get(id));
    const passes = PASSING.includes(code);
    this.set(id, passes ? "unsure" : "refused", sentence);
    if (passes) this.after(AGAIN_MS, id, () => this.retry(id));
  }

  private transmit(message: Outgoing): void {
    const { id: client_message_id, content } = message;
    const isSent = this.post({ type: "send", client_message_id, content });
    this.set(message.id, isSent ? "sending" : "unsure");
    if (!isSent) return;
    this.after(UNSURE_MS, message.id, () => this.set(message.id, "unsure"));
  }

  private after(ms: number, id: string, run: () => void): void {
    clearTimeout(this.timers.get(id));
    this.timers.set(id, setTimeout(run, ms));
  }

  private set(id: string, status: Outgoing["status"], sentence = ""): void {
    const { outbox } = viewOf(this.roomId);
    const message = outbox.find((one) => one.id === id);
    if (!message || (message.status === status && message.sentence === sentence)) return;
    const changed = { ...message, status, sentence };
    this.show(outbox.map((one) => (one.id === id ? changed : one)));
    keepOutgoing(changed);
  }

  private show(outbox: Outgoing[]): void {
    patchView(this.roomId, { outbox });
  }
}
