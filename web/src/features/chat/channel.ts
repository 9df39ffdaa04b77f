// Tells the other tabs of this browser, and this one, that a chat changed, so that each reads it anew
// and follows a reply begun elsewhere.
type Listener = (sessionId: string) => void;

const listeners = new Set<Listener>();
const channel =
  typeof BroadcastChannel === "function" ? new BroadcastChannel("tutordesk.chats") : null;
if (channel) {
  channel.onmessage = ({ data }: MessageEvent<string>) => {
    for (const listener of listeners) listener(data);
  };
}

export function announceChange(sessionId: string): void {
  channel?.postMessage(sessionId);
  for (const listener of listeners) listener(sessionId);
}

export function onChatChange(listener: Listener): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
