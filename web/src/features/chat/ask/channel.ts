// Tells the other tabs of this browser, and this one, that a chat changed, so that each reads it anew
// and follows a reply begun elsewhere. All tabs may say the same at once: it is passed on once.
type Listener = (sessionId: string) => void;

const TOGETHER_MS = 50;
const listeners = new Set<Listener>();
const changed = new Set<string>();

function passOn(): void {
  const sessions = [...changed];
  changed.clear();
  for (const session of sessions) for (const listener of listeners) listener(session);
}

function note(sessionId: string): void {
  if (changed.size === 0) setTimeout(passOn, TOGETHER_MS);
  changed.add(sessionId);
}

const channel =
  typeof BroadcastChannel === "function" ? new BroadcastChannel("tutordesk.chats") : null;
if (channel) channel.onmessage = ({ data }: MessageEvent<string>) => note(data);

export function announceChange(sessionId: string): void {
  channel?.postMessage(sessionId);
  note(sessionId);
}

export function onChatChange(listener: Listener): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
