// Sends a room's messages: at once when connected, and again after each reconnect until the room reports them.
// Sending twice is safe because the server recognises a message by its client_message_id.
import type { RoomCommand, RoomMessage } from "@/lib/api/types";
import {
  newOutgoing,
  type OutgoingMessage,
  readOutbox,
  removeOutgoing,
  saveOutgoing,
  UNSURE_MS,
} from "./outbox";
import { updateView, viewOf } from "./store";

/** Refusals that end by themselves. */
const TEMPORARY_CODES = ["unavailable"];
const RETRY_MS = 3_000;

export class Sender {
  private readonly timers = new Map<string, ReturnType<typeof setTimeout>>();

  constructor(
    private readonly roomId: string,
    private readonly me: string,
    private readonly post: (command: RoomCommand) => boolean,
  ) {}

  /** Show the messages that an earlier page could not send. */
  restore(): void {
    const { outbox } = viewOf(this.roomId);
    const stored = readOutbox(this.roomId, this.me);
    const missing = stored.filter(({ id }) => !outbox.some((message) => message.id === id));
    if (missing.length > 0) this.show([...outbox, ...missing]);
  }

  send(content: string): void {
    const message = newOutgoing(this.roomId, this.me, content);
    this.show([...viewOf(this.roomId).outbox, message]);
    saveOutgoing(message);
    this.transmit(message);
  }

  retry(id: string): void {
    const message = viewOf(this.roomId).outbox.find((pending) => pending.id === id);
    if (message) this.transmit(message);
  }

  /** Remove a message from the outbox. Returns its text. */
  takeBack(id: string): string {
    const { outbox } = viewOf(this.roomId);
    removeOutgoing(id);
    this.show(outbox.filter((message) => message.id !== id));
    return outbox.find((message) => message.id === id)?.content ?? "";
  }

  /** After connecting: send everything that is not confirmed. */
  resend(): void {
    for (const message of viewOf(this.roomId).outbox) {
      if (message.status !== "refused") this.transmit(message);
    }
  }

  /** After the connection is lost: messages may or may not have arrived. */
  pause(): void {
    for (const timer of this.timers.values()) clearTimeout(timer);
    this.timers.clear();
    for (const message of viewOf(this.roomId).outbox) {
      if (message.status === "sending") this.set(message.id, "unsure");
    }
  }

  /** Return the outbox without the message that the room reported. */
  confirm(posted: RoomMessage): OutgoingMessage[] {
    const { outbox } = viewOf(this.roomId);
    const id = posted.user_id === this.me ? posted.client_message_id : null;
    if (!id || !outbox.some((message) => message.id === id)) return outbox;
    clearTimeout(this.timers.get(id));
    this.timers.delete(id);
    removeOutgoing(id);
    return outbox.filter((message) => message.id !== id);
  }

  refuse(id: string, code: string, sentence: string): void {
    clearTimeout(this.timers.get(id));
    const isTemporary = TEMPORARY_CODES.includes(code);
    this.set(id, isTemporary ? "unsure" : "refused", sentence);
    if (isTemporary) this.after(RETRY_MS, id, () => this.retry(id));
  }

  private transmit(message: OutgoingMessage): void {
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

  private set(id: string, status: OutgoingMessage["status"], sentence = ""): void {
    const { outbox } = viewOf(this.roomId);
    const message = outbox.find((pending) => pending.id === id);
    if (!message || (message.status === status && message.sentence === sentence)) return;
    const changed = { ...message, status, sentence };
    this.show(outbox.map((pending) => (pending.id === id ? changed : pending)));
    saveOutgoing(changed);
  }

  private show(outbox: OutgoingMessage[]): void {
    updateView(this.roomId, { outbox });
  }
}
