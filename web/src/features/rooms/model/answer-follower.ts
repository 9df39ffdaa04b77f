// Follows the tutor's answer that runs in a room, for as long as it does. Who comes late has all of it from its
// start; the message that ends it comes over the room's socket.
import { coalesced } from "@/lib/coalesce";
import { runReply } from "@/lib/reply";
import { grow, growingText } from "./store";

export class AnswerFollower {
  private replyId: string | null = null;
  private abort: AbortController | null = null;

  /** Follows this one; null: none runs. */
  follow(replyId: string | null): void {
    if (replyId === this.replyId) return;
    this.stop();
    if (!replyId) return;
    this.replyId = replyId;
    this.abort = new AbortController();
    const path = `/agent/stream/${encodeURIComponent(replyId)}`;
    const buffer = coalesced((text) => grow(replyId, growingText(replyId) + text));
    const handlers = {
      onStart: () => {
        buffer.reset();
        grow(replyId, "");
      },
      onDelta: buffer.add,
      onEnd: (end: { content: string }) => {
        buffer.reset();
        grow(replyId, end.content);
      },
      onError: buffer.flush,
      onConnection: () => undefined,
    };
    // A stream that is refused is not told: how the answer ended comes over the socket.
    runReply({ kind: "follow", replyId, path }, handlers, this.abort.signal).catch(() => undefined);
  }

  stop(): void {
    this.abort?.abort();
    if (this.replyId) grow(this.replyId, undefined);
    this.abort = null;
    this.replyId = null;
  }
}
