// Completing a name after `@`: which of the people in the room and the tutor are meant, and the text with the
// chosen one in it. Pure.
import type { RoomMember } from "@/lib/types";

export interface Candidate {
  id: string;
  /** As it is written after the `@`. */
  name: string;
  isTutor: boolean;
}

export interface Completion {
  /** Where the `@` stands. */
  start: number;
  candidates: Candidate[];
}

const MOST = 8;
const PLACE = /(?<![\w@/.])@([^@\n]{0,40})$/u;
const TUTOR: Candidate = { id: "tutor", name: "tutor", isTutor: true };

const fold = (text: string): string => text.toLocaleLowerCase("en");

function matches(name: string, typed: string): boolean {
  const folded = fold(name);
  return folded.startsWith(typed) || folded.split(" ").some((word) => word.startsWith(typed));
}

/** What the caret stands in; null where it stands in no name, or the name is complete. */
export function completionAt(
  text: string,
  caret: number,
  members: RoomMember[],
  me: string,
): Completion | null {
  const found = PLACE.exec(text.slice(0, caret));
  if (!found) return null;
  const typed = fold(found[1] ?? "");
  if (typed.startsWith(" ") || /\s$/.test(typed)) return null;
  const people = members
    .filter(({ user_id }) => user_id !== me)
    .map(({ user_id: id, name }) => ({ id, name, isTutor: false }));
  const candidates = [TUTOR, ...people].filter(({ name }) => matches(name, typed)).slice(0, MOST);
  const isWhole = candidates.length === 1 && fold(candidates[0]?.name ?? "") === typed;
  return candidates.length > 0 && !isWhole ? { start: found.index, candidates } : null;
}

/** The text with the name in place of what was typed of it, and where the caret goes. */
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
