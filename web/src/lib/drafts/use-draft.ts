// Keeps the text of a composer as a draft: saved shortly after each change, and at once when the page or the composer
// closes.
import { useCallback, useEffect, useRef, useState } from "react";
import { clearDraft, readDraft, writeDraft } from "./drafts";

const SAVE_MS = 300;

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
  // The place of the draft, what this field last saved there, and what it has not saved yet.
  const draft = useRef({ key, saved: text, unsaved: null as string | null });
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const save = useCallback((value: string) => {
    clearTimeout(timer.current);
    draft.current.unsaved = null;
    draft.current.saved = value;
    if (value) writeDraft(draft.current.key, value);
    else clearDraft(draft.current.key);
  }, []);
  useEffect(() => {
    const flush = () => {
      if (draft.current.unsaved !== null) save(draft.current.unsaved);
    };
    window.addEventListener("pagehide", flush);
    return () => {
      window.removeEventListener("pagehide", flush);
      flush();
    };
  }, [save]);
  useEffect(() => {
    const { key: before, saved, unsaved } = draft.current;
    if (before === key) return;
    if (readDraft<string>(before)?.value === saved) clearDraft(before); // else another tab has written there since
    draft.current.key = key;
    save(unsaved ?? saved);
  }, [key, save]);
  const change = (value: string) => {
    setText(value);
    draft.current.unsaved = value;
    clearTimeout(timer.current);
    timer.current = setTimeout(() => save(value), SAVE_MS);
  };
  const sent = () => {
    save("");
    setText("");
  };
  return { text, change, sent };
}
