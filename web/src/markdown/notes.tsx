// Numbers the footnotes of a text and draws them below it, with links back. While a text streams, a reference whose
// note has not come has its number; if the text ends without the note, the reference is text.
import { type ReactNode, useContext, useId, useMemo } from "react";
import { jump, NoteNumbersContext, noteId, referenceId } from "./note-references";
import type { Block } from "./parse";
import type { Note } from "./syntax/notes";
import { BlockToken, directionOf } from "./tokens";

interface NumberedNote {
  number: number;
  label: string;
  /** Undefined while it has not come. */
  note: Note | undefined;
  /** The ids of its references, in the order of the text. */
  references: string[];
}

const NONE: NumberedNote[] = [];
/** What may be a footnote before its note has come; `[^a-z]` is none. */
const WAITING = /^(?:\d+|[a-z]{2}[\w-]*)$/;

/** Return the notes of a text, numbered by their first reference. Notes without one come last. */
export function collectNotes(blocks: Block[], isStreaming: boolean): NumberedNote[] {
  // Most texts have no note: this pass over all blocks runs with every piece of a streaming text.
  const connected = blocks.filter((block) => block.notes || block.references);
  if (connected.length === 0) return NONE;
  const written = new Map<string, Note>();
  for (const block of connected) {
    for (const note of block.notes ?? []) {
      if (!written.has(note.label)) written.set(note.label, note);
    }
  }
  const notes = new Map<string, NumberedNote>();
  const add = (label: string) => {
    const entry = { number: notes.size + 1, label, note: written.get(label), references: [] };
    notes.set(label, entry);
    return entry as NumberedNote;
  };
  for (const block of connected) {
    for (const { label, id } of block.references ?? []) {
      if (!written.has(label) && !(isStreaming && WAITING.test(label))) continue;
      (notes.get(label) ?? add(label)).references.push(id);
    }
  }
  for (const label of written.keys()) if (!notes.has(label)) add(label);
  return notes.size === 0 ? NONE : [...notes.values()];
}

interface ProviderProps {
  notes: NumberedNote[];
  children: ReactNode;
}

export function NoteNumbersProvider({ notes, children }: ProviderProps) {
  const prefix = useId();
  // The references are drawn again only if a number changes, not with every piece of a text.
  const key = notes.map(({ label, note }) => `${label}${note ? "" : "…"}`).join(" ");
  // biome-ignore lint/correctness/useExhaustiveDependencies: `key` holds all that is read of `notes`
  const value = useMemo(() => {
    const numbers = notes.map(
      ({ label, number, note }) => [label, { number, isWritten: note !== undefined }] as const,
    );
    return { prefix, numbers: new Map(numbers) };
  }, [prefix, key]);
  return <NoteNumbersContext value={value}>{children}</NoteNumbersContext>;
}

export function NotesSection({ notes }: { notes: NumberedNote[] }) {
  const { prefix } = useContext(NoteNumbersContext);
  const written = notes.filter(({ note }) => note !== undefined);
  if (written.length === 0) return null;
  return (
    <section className="md-notes" aria-label="Notes">
      <ol>
        {written.map(({ number, note, references }) => (
          <li
            key={number}
            id={noteId(prefix, number)}
            value={number}
            dir={directionOf(note?.raw ?? "")}
            tabIndex={-1}
          >
            {note?.tokens.map((token, index) => (
              <BlockToken key={index} token={token} drawing={{ open: false }} />
            ))}
            {references.map((id, index) => (
              <a
                key={id}
                className="md-back"
                href={`#${referenceId(prefix, id)}`}
                aria-label={`Back to reference ${index + 1} of note ${number}`}
                onClick={jump}
              >
                ↩
              </a>
            ))}
          </li>
        ))}
      </ol>
    </section>
  );
}
