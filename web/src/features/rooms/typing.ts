// Who types. One's own typing is told at most every three seconds; another's is believed for six.
import { patchView, viewOf } from "./store";

const TELL_MS = 3_000;
const BELIEVE_MS = 6_000;

export class TypingLine {
  private toldAt = 0;

  constructor(
    readonly roomId: string,
    private readonly tell: () => void,
  ) {}

  /** A key was pressed in the composer. */
  typed(): void {
    if (Date.now() - this.toldAt < TELL_MS) return;
    this.toldAt = Date.now();
    this.tell();
  }

  /** The message was sent: the next letter begins another one. */
  stop(): void {
    this.toldAt = 0;
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
