// Who types. One's own typing is told at most every three seconds; another's is believed for six.
import { patchView, viewOf } from "./store";

const TELL_MS = 3_000;
const BELIEVE_MS = 6_000;

export class TypingLine {
  private toldAt = 0;
  /** Nothing was told yet of the message that is being written. */
  private isUntold = true;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly tellRoom: () => void) {}

  /** A key was pressed in the composer. */
  typed(): void {
    const wait = this.toldAt + TELL_MS - Date.now();
    if (wait <= 0) this.tell();
    else if (this.isUntold) this.timer ??= setTimeout(() => this.tell(), wait);
  }

  /** The message was sent: the next letter begins another one. */
  stop(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.isUntold = true;
  }

  private tell(): void {
    this.stop();
    this.isUntold = false;
    this.toldAt = Date.now();
    this.tellRoom();
  }
}

export function heard(roomId: string, userId: string, me: string | null): void {
  if (userId === me) return;
  const until = Date.now() + BELIEVE_MS;
  patchView(roomId, { typing: { ...viewOf(roomId).typing, [userId]: until } });
  setTimeout(() => {
    const { typing } = viewOf(roomId);
    if ((typing[userId] ?? 0) > until) return;
    const { [userId]: _, ...others } = typing;
    patchView(roomId, { typing: others });
  }, BELIEVE_MS);
}

/** "Ana is typing", with at most three names. */
export function typingWords(names: string[]): string {
  if (names.length === 0) return "";
  if (names.length === 1) return `${names[0]} is typing`;
  if (names.length <= 3) return `${names.slice(0, -1).join(", ")} and ${names.at(-1)} are typing`;
  return `${names.slice(0, 3).join(", ")} and others are typing`;
}
