// The React key of a chat's composer. Another chat gets another composer, but a new chat that receives its id keeps its
// own: somebody may be writing in it.
import { useCallback, useEffect, useRef, useState } from "react";
import { newId } from "@/lib/browser/ids";

/** Returns the key, and a function to call with the name that the shown chat is about to receive. */
export function useComposerKey(chat: string): [key: string, onRenamed: (chat: string) => void] {
  const [shown, setShown] = useState(() => ({ chat, key: newId() }));
  const renamed = useRef<string | null>(null);
  useEffect(() => {
    if (renamed.current === chat) renamed.current = null;
  }, [chat]);
  const onRenamed = useCallback((next: string) => {
    renamed.current = next;
  }, []);
  if (shown.chat === chat) return [shown.key, onRenamed];
  const next = { chat, key: renamed.current === chat ? shown.key : newId() };
  setShown(next);
  return [next.key, onRenamed];
}
