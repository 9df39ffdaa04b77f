// Follows the tutor's running answer in a room and puts its text into the store. A reader who comes late gets the
// whole text from the start. The finished message comes over the room's socket.
import { api } from "@/lib/api/client";
import { coalesced } from "@/lib/streams/coalesce";
import { runReply } from "@/lib/streams/reply";
import type { ReplyHandlers, ReplySource } from "@/lib/streams/reply-reader";
import { setThought } from "@/lib/streams/thoughts";
import { answerText, setAnswerText } from "./store";

export class AnswerFollower {
  private replyId: string | null = null;
  private abort: AbortController | null = null;

  /** Follow this reply instead of the current one; null stops. */
  follow(replyId: string | null): void {
    if (replyId === this.replyId) return;
    this.stop();
    if (!replyId) return;
    this.replyId = replyId;
    this.abort = new AbortController();
    const buffer = coalesced((text) => setAnswerText(replyId, answerText(replyId) + text));
    const handlers: ReplyHandlers = {
      onStart: () => {
        buffer.reset();
        setAnswerText(replyId, "");
      },
      onDelta: buffer.add,
      onThinking: (thinking) => setThought(replyId, thinking),
      onEnd: (end) => {
        buffer.reset();
        setAnswerText(replyId, end.content);
      },
      onError: buffer.flush,
      onConnection: () => undefined,
    };
    // A refused stream needs no message: the socket says how the answer ended.
    const source: ReplySource = { kind: "follow", replyId, follow: api.followAgent };
    runReply(source, handlers, this.abort.signal).catch(() => undefined);
  }

  stop(): void {
    this.abort?.abort();
    if (this.replyId) setAnswerText(this.replyId, undefined);
    this.abort = null;
    this.replyId = null;
  }
}
