// Completes a name after `@`: finds the members that match (and the tutor), and writes the chosen name into the
// text. Pure.
import type { RoomMember } from "@/lib/api/types";
import { BEFORE_MENTION } from "@/lib/text/rules";

export interface Candidate {
  id: string;
  /** The name as written after the `@`. */
  name: string;
  isTutor: boolean;
}

export interface Completion {
  /** The index of the `@`. */
  start: number;
  candidates: Candidate[];
}

const MAX_CANDIDATES = 8;
const MENTION_BEFORE_CARET = new RegExp(`${BEFORE_MENTION}([^@\\n]{0,40})$`, "u");
const TUTOR: Candidate = { id: "tutor", name: "tutor", isTutor: true };

const fold = (text: string): string => text.normalize("NFC").toLowerCase();

function matches(name: string, typed: string): boolean {
  const folded = fold(name);
  return folded.startsWith(typed) || folded.split(" ").some((word) => word.startsWith(typed));
}

/** Return the completion at the caret; null outside a name, or when the name is complete. */
export function completionAt(
  text: string,
  caret: number,
  members: RoomMember[],
  me: string,
): Completion | null {
  const match = MENTION_BEFORE_CARET.exec(text.slice(0, caret));
  if (!match) return null;
  const typed = fold(match[1] ?? "");
  if (typed.startsWith(" ") || /\s$/.test(typed)) return null;
  const people = members
    .filter(({ user_id }) => user_id !== me)
    .map(({ user_id: id, name }) => ({ id, name, isTutor: false }));
  const candidates = [TUTOR, ...people]
    .filter(({ name }) => matches(name, typed))
    .slice(0, MAX_CANDIDATES);
  const isComplete = candidates.length === 1 && fold(candidates[0]?.name ?? "") === typed;
  return candidates.length > 0 && !isComplete ? { start: match.index, candidates } : null;
}

/** Replace the typed part with the whole name. Returns the text and the caret after it. */
export function complete(
  text: string,
  caret: number,
  { start }: Completion,
  { name }: Candidate,
): { text: string; caret: number } {
  const rest = text.slice(caret).replace(/^ /, "");
  const before = `${text.slice(0, start)}@${name} `;
  return { text: before + rest, caret: before.length };
}
