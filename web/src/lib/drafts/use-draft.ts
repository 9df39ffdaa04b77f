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
  /** Empty the field, and remove the draft. */
  sent: () => void;
}

/** Read and keep the draft under `key`. If the key changes while the component is mounted, the draft moves with it. */
export function useDraft(key: string): DraftText {
  const [text, setText] = useState(() => readDraft<string>(key)?.value ?? "");
  const latest = useRef({ key, text });
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
  useEffect(() => {
    const before = latest.current;
    latest.current = { key, text };
    if (before.key === key) return;
    if (readDraft<string>(before.key)?.value === before.text) clearDraft(before.key);
    save(key, text);
  }, [key, text]);
  const change = (value: string) => {
    setText(value);
    pending.current = value;
    clearTimeout(timer.current);
    timer.current = setTimeout(() => {
      pending.current = null;
      save(key, value);
    }, SAVE_MS);
  };
  const sent = () => {
    clearTimeout(timer.current);
    pending.current = null;
    clearDraft(key);
    setText("");
  };
  return { text, change, sent };
}
