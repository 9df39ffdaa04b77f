// Tells all tabs of this browser that a chat changed, so that each reads it again and follows a reply that began
// elsewhere. Several tabs may announce the same change at once; listeners are called once.
type Listener = (sessionId: string) => void;

const COALESCE_MS = 50;
const listeners = new Set<Listener>();
const changed = new Set<string>();

function notify(): void {
  const sessions = [...changed];
  changed.clear();
  for (const session of sessions) for (const listener of listeners) listener(session);
}

function note(sessionId: string): void {
  if (changed.size === 0) setTimeout(notify, COALESCE_MS);
  changed.add(sessionId);
}

const channel =
  typeof BroadcastChannel === "function" ? new BroadcastChannel("tutordesk.chats") : null;
if (channel) channel.onmessage = ({ data }: MessageEvent<string>) => note(data);

/** Announce that a chat changed, in every tab. */
export function announceChange(sessionId: string): void {
  channel?.postMessage(sessionId);
  note(sessionId);
}

/** Call `listener` when a chat changed. Returns a function that stops this. */
export function onChatChange(listener: Listener): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
