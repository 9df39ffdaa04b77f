// Where a chat is entered: at its end, or at a message that a search found (?m=, its words in ?q=). A message
// that is not there any more is said so, and the chat shown from its end.
import { useCallback, useEffect, useMemo } from "react";
import { useNavigate } from "react-router";
import { Problem } from "@/lib/api/problem";
import { toast } from "@/ui/toast";
import type { Found } from "./thread/use-jump-to-message";

interface Place {
  sessionId: string | null;
  around: string | null;
  words: string;
  /** Why the chat could not be read. */
  error: Error | null;
}

export function usePlace({ sessionId, around, words, error }: Place) {
  const navigate = useNavigate();
  const toEnd = useCallback(
    (replace: boolean) => {
      const params = new URLSearchParams({ session: sessionId ?? "", ...(words && { q: words }) });
      navigate(`/chat?${params}`, { replace });
    },
    [navigate, sessionId, words],
  );
  const toNewest = useCallback(() => toEnd(false), [toEnd]);
  const isGone = around !== null && error instanceof Problem && [404, 422].includes(error.status);
  useEffect(() => {
    if (!isGone) return;
    toast("This message is not in the chat any more.");
    toEnd(true);
  }, [isGone, toEnd]);
  // The words that led here: those of another search begun meanwhile move nothing.
  // biome-ignore lint/correctness/useExhaustiveDependencies: see above
  const found: Found | null = useMemo(
    () => (around ? { messageId: around, words } : null),
    [around],
  );
  return { found, isGone, toNewest };
}
