// The values of a ticket form as a draft: saved in this browser after each change, so a reload or a crash loses
// nothing. `forget` deletes the draft once the server has the ticket.
import { useCallback, useEffect, useRef, useState } from "react";
import type { TicketInput } from "@/lib/api/types";
import { clearDraft, readDraft, writeDraft } from "@/lib/drafts/drafts";

const isSame = (a: TicketInput, b: TicketInput): boolean => JSON.stringify(a) === JSON.stringify(b);

export function useTicketDraft(key: string, initial: TicketInput) {
  const [stored] = useState(() => readDraft<TicketInput>(key));
  const [isRestored, setRestored] = useState(
    () => stored !== null && !isSame(stored.value, initial),
  );
  const [values, setValues] = useState<TicketInput>({ ...initial, ...stored?.value });
  const [savedAt, setSavedAt] = useState<number | null>(stored?.at ?? null);
  const unsaved = useRef<TicketInput | null>(null);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);

  const flush = useCallback(() => {
    clearTimeout(timer.current);
    if (!unsaved.current) return;
    if (isSame(unsaved.current, initial)) {
      clearDraft(key);
      setSavedAt(null);
    } else {
      setSavedAt(writeDraft(key, unsaved.current));
    }
    unsaved.current = null;
  }, [key, initial]);

  useEffect(() => {
    const onHidden = () => document.visibilityState === "hidden" && flush();
    window.addEventListener("pagehide", flush);
    document.addEventListener("visibilitychange", onHidden);
    return () => {
      window.removeEventListener("pagehide", flush);
      document.removeEventListener("visibilitychange", onHidden);
      flush();
    };
  }, [flush]);

  const change = (part: Partial<TicketInput>) => {
    const next = { ...values, ...part };
    setValues(next);
    unsaved.current = next;
    clearTimeout(timer.current);
    timer.current = setTimeout(flush, 400);
  };
  const forget = () => {
    clearTimeout(timer.current);
    unsaved.current = null;
    clearDraft(key);
  };
  const discard = () => {
    forget();
    setValues(initial);
    setSavedAt(null);
    setRestored(false);
  };
  return { values, change, savedAt, isRestored, forget, discard };
}
