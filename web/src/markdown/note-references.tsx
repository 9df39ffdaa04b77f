// What a text refers to its notes by: a number, and a link to the note once it has come. Until then the number waits.
import { createContext, type MouseEvent, useContext } from "react";
import type { NoteReference } from "./syntax/notes";

export interface NoteNumbers {
  /** Tells the notes of one text from those of others on the page. */
  prefix: string;
  /** The numbers by label, and whether the note is there. */
  numbers: ReadonlyMap<string, { number: number; isWritten: boolean }>;
}

export const NoteNumbersContext = createContext<NoteNumbers>({ prefix: "", numbers: new Map() });

export const noteId = (prefix: string, number: number) => `${prefix}note-${number}`;
export const referenceId = (prefix: string, id: string) => `${prefix}reference-${id}`;

/** Go to a place in the page without a new address, which would be another step of the history. */
export function jump(event: MouseEvent<HTMLAnchorElement>): void {
  event.preventDefault();
  const target = document.getElementById(event.currentTarget.hash.slice(1));
  target?.scrollIntoView({ block: "center" });
  target?.focus({ preventScroll: true });
}

export function NoteReferenceLink({ token }: { token: NoteReference }) {
  const { prefix, numbers } = useContext(NoteNumbersContext);
  const entry = numbers.get(token.label);
  if (!entry) return token.raw;
  if (!entry.isWritten) return <sup>{entry.number}</sup>;
  return (
    <sup>
      <a
        id={referenceId(prefix, token.id)}
        href={`#${noteId(prefix, entry.number)}`}
        aria-label={`Note ${entry.number}`}
        onClick={jump}
      >
        {entry.number}
      </a>
    </sup>
  );
}
