// Decides where a chat is entered: at its end, or at a message that a search matched (?m=, its words in ?q=). If that
// message no longer exists, people are told, and the chat is shown from its end.
import { useCallback, useEffect, useMemo } from "react";
import { useNavigate } from "react-router";
import { Problem } from "@/lib/api/problem";
import { toast } from "@/ui/toast";
import type { JumpTarget } from "./thread/use-jump-to-message";

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
    toast("This message is no longer in the chat.");
    toEnd(true);
  }, [isGone, toEnd]);
  // Only the words that led here count: those of a search begun since must not move the view.
  // biome-ignore lint/correctness/useExhaustiveDependencies: see above
  const target: JumpTarget | null = useMemo(
    () => (around ? { messageId: around, words } : null),
    [around],
  );
  return { target, isGone, toNewest };
}
