// Outgoing messages in this browser's storage until the server has them, so that neither a reload nor a crash loses
// one. Each keeps its client_message_id, so sending it again is safe. A message is only shown to its author.
//
// sending → (the room reports it) removed | unsure: not confirmed, sent again when the connection is back
//         → refused: with the server's sentence, until its author retries or takes it back
import { newId } from "@/lib/browser/ids";

export interface OutgoingMessage {
  id: string;
  roomId: string;
  userId: string;
  content: string;
  at: string;
  status: "sending" | "unsure" | "refused";
  /** Why the server refused it. */
  sentence: string;
}

const KEY = "tutordesk.outbox";
const MAX_AGE_MS = 30 * 86_400_000;
/** Time without a report after which a message counts as not confirmed. */
export const UNSURE_MS = 8_000;

function readAll(): OutgoingMessage[] {
  try {
    const stored: unknown = JSON.parse(localStorage.getItem(KEY) ?? "[]");
    const all: OutgoingMessage[] = Array.isArray(stored) ? stored : [];
    return all.filter(({ at }) => Date.now() - Date.parse(at) < MAX_AGE_MS);
  } catch {
    return [];
  }
}

function writeAll(all: OutgoingMessage[]): void {
  try {
    if (all.length > 0) localStorage.setItem(KEY, JSON.stringify(all));
    else localStorage.removeItem(KEY);
  } catch {
    // Storage is off or full: the message lives as long as the page.
  }
}

export function newOutgoing(roomId: string, userId: string, content: string): OutgoingMessage {
  const at = new Date().toISOString();
  return { id: newId(), roomId, userId, content, at, status: "sending", sentence: "" };
}

/** Return this author's messages that an earlier page left. Nobody knows whether they arrived. */
export function readOutbox(roomId: string, userId: string): OutgoingMessage[] {
  return readAll()
    .filter((message) => message.roomId === roomId && message.userId === userId)
    .map((message) => (message.status === "refused" ? message : { ...message, status: "unsure" }));
}

export function saveOutgoing(message: OutgoingMessage): void {
  const all = readAll();
  const at = all.findIndex(({ id }) => id === message.id);
  writeAll(at < 0 ? [...all, message] : all.with(at, message));
}

export function removeOutgoing(id: string): void {
  const all = readAll();
  if (all.some((message) => message.id === id))
    writeAll(all.filter((message) => message.id !== id));
}
