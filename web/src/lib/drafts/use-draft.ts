// Keeps the text of a composer as a draft: saved shortly after each change, and at once when the page or the composer
// closes.
import { useEffect, useRef, useState } from "react";
import { clearDraft, readDraft, writeDraft } from "./drafts";

const SAVE_MS = 300;

function save(key: string, text: string): void {
  if (text) writeDraft(key, text);
  else clearDraft(key);
}

export interface DraftText {
  text: string;
  /** Set the text, and save it as the draft. */
  change: (text: string) => void;
  /** Set the text if the field is empty; the draft stays unchanged. */
  offer: (text: string) => void;
  /** Empty the field, and save `rest` as the draft, such as a text that the server has not confirmed. */
  sent: (rest?: string) => void;
}

/** Read and keep the draft under `key`, which must not change while the component is mounted. */
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
