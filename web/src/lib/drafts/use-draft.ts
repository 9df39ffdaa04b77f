// The text of a composer with its draft: written shortly after each change, and at once when the page or the
// composer goes away.
import { useEffect, useRef, useState } from "react";
import { clearDraft, readDraft, writeDraft } from "./drafts";

const SAVE_MS = 300;

function save(key: string, text: string): void {
  if (text) writeDraft(key, text);
  else clearDraft(key);
}

export interface DraftText {
  text: string;
  /** What is written; becomes the draft. */
  change: (text: string) => void;
  /** Shows a text only where nothing is written; the draft stays as it is. */
  offer: (text: string) => void;
  /** Empties the field; the draft keeps `rest`, such as a text until the server has it. */
  sent: (rest?: string) => void;
}

/** `key` stays the same for the life of the component. */
export function useDraft(key: string): DraftText {
  const [text, setText] = useState(() => readDraft<string>(key)?.value ?? "");
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const pending = useRef<string | null>(null);
  useEffect(() => {
    const flush = () => {
      clearTimeout(timer.current);
      if (pending.current !== null) save(key, pending.current);
      pending.current = null;
    };
    window.addEventListener("pagehide", flush);
    return () => {
      window.removeEventListener("pagehide", flush);
      flush();
    };
  }, [key]);
  const change = (value: string) => {
    setText(value);
    pending.current = value;
    clearTimeout(timer.current);
    timer.current = setTimeout(() => {
      pending.current = null;
      save(key, value);
    }, SAVE_MS);
  };
  const sent = (rest = "") => {
    clearTimeout(timer.current);
    pending.current = null;
    save(key, rest);
    setText("");
  };
  const offer = (value: string) => setText((now) => now || value);
  return { text, change, offer, sent };
}
