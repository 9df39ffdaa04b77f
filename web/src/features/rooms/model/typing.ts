// Typing notices. The user's own are sent at most every three seconds. Another member's is shown for
// six.
import { updateView, viewOf } from "./store";

const SEND_INTERVAL_MS = 3_000;
const SHOWN_FOR_MS = 6_000;

export class TypingNotifier {
  private sentAt = 0;
  /** No notice was sent yet for the message that is being written. */
  private isUnsent = true;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly notifyRoom: () => void) {}

  /** Call on each change in the composer. */
  typed(): void {
    const wait = this.sentAt + SEND_INTERVAL_MS - Date.now();
    if (wait <= 0) this.notify();
    else if (this.isUnsent) this.timer ??= setTimeout(() => this.notify(), wait);
  }

  /** Call when the message was sent: the next letter begins another one. */
  stop(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.isUnsent = true;
  }

  private notify(): void {
    this.stop();
    this.isUnsent = false;
    this.sentAt = Date.now();
    this.notifyRoom();
  }
}

/** Show that a member types, for as long as a notice lasts. */
export function showTyping(roomId: string, userId: string, me: string | null): void {
  if (userId === me) return;
  const until = Date.now() + SHOWN_FOR_MS;
  updateView(roomId, { typing: { ...viewOf(roomId).typing, [userId]: until } });
  setTimeout(() => {
    const { typing } = viewOf(roomId);
    if ((typing[userId] ?? 0) > until) return;
    const { [userId]: _, ...others } = typing;
    updateView(roomId, { typing: others });
  }, SHOWN_FOR_MS);
}

/** Return "Ana is typing", with at most three names. */
export function typingWords(names: string[]): string {
  if (names.length === 0) return "";
  if (names.length === 1) return `${names[0]} is typing`;
  if (names.length <= 3) return `${names.slice(0, -1).join(", ")} and ${names.at(-1)} are typing`;
  return `${names.slice(0, 3).join(", ")} and others are typing`;
}
