// Messages on their way, in this browser's storage until the server has them, so that neither a reload nor a
// crash loses one. Each keeps its client_message_id: sending it again is safe. It belongs to who wrote it.
//
// sending → (the room tells of it) gone | unsure: not confirmed, sent again when the connection is back
//         → refused: with the server's sentence, until its author sends it again or takes it back
import { newId } from "@/lib/ids";

export interface Outgoing {
  id: string;
  roomId: string;
  userId: string;
  content: string;
  at: string;
  status: "sending" | "unsure" | "refused";
  /** Why it was refused. */
  sentence: string;
}

const KEY = "tutordesk.outbox";
const MAX_AGE = 30 * 86_400_000;
/** After so long without a word of it, a message is not confirmed. */
export const UNSURE_MS = 8_000;

function readAll(): Outgoing[] {
  try {
    const stored: unknown = JSON.parse(localStorage.getItem(KEY) ?? "[]");
    const all = Array.isArray(stored) ? (stored as Outgoing[]) : [];
    return all.filter(({ at }) => Date.now() - Date.parse(at) < MAX_AGE);
  } catch {
    return [];
  }
}

function write(all: Outgoing[]): void {
  try {
    if (all.length > 0) localStorage.setItem(KEY, JSON.stringify(all));
    else localStorage.removeItem(KEY);
  } catch {
    // storage is switched off or full: the message lives as long as the page
  }
}

export function newOutgoing(roomId: string, userId: string, content: string): Outgoing {
  const at = new Date().toISOString();
  return { id: newId(), roomId, userId, content, at, status: "sending", sentence: "" };
}

/** What was on its way when the page went away; whether it arrived is not known. */
export function readOutbox(roomId: string, userId: string): Outgoing[] {
  return readAll()
    .filter((one) => one.roomId === roomId && one.userId === userId)
    .map((one) => (one.status === "refused" ? one : { ...one, status: "unsure" }));
}

export function keepOutgoing(message: Outgoing): void {
  const all = readAll();
  const at = all.findIndex(({ id }) => id === message.id);
  write(at < 0 ? [...all, message] : all.with(at, message));
}

export function dropOutgoing(id: string): void {
  const all = readAll();
  if (all.some((one) => one.id === id)) write(all.filter((one) => one.id !== id));
}
