// One saved chat with its live turns: reads it, follows a reply that runs already, keeps up with other
// tabs, and lets go of turns that are saved.
import { useInfiniteQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useMemo } from "react";
import { useShallow } from "zustand/react/shallow";
import { followReply } from "./asking";
import { onChatChange } from "./channel";
import { chatKeys, sessionQuery } from "./queries";
import { dropSaved, useChat } from "./store";
import { joinThread } from "./thread";
import { savedIds } from "./versions";

export function useSession(chat: string, sessionId: string | null) {
  const client = useQueryClient();
  const saved = useInfiniteQuery({
    ...sessionQuery(sessionId ?? ""),
    enabled: sessionId !== null,
    retry: 1,
  });
  const turns = useChat(useShallow((state) => state.turns.filter((turn) => turn.chat === chat)));
  const keys = useChat((state) => state.keys);
  const messages = useMemo(
    () => saved.data?.pages.toReversed().flatMap((page) => page.data.messages) ?? [],
    [saved.data],
  );
  const newest = saved.data?.pages[0]?.data;
  const running = newest?.running_reply?.id;

  useEffect(
    () =>
      onChatChange((changed) => {
        void client.invalidateQueries({ queryKey: chatKeys.session(changed) });
        void client.invalidateQueries({ queryKey: chatKeys.sessions });
      }),
    [client],
  );
  useEffect(() => {
    if (sessionId && running) followReply(sessionId, running);
  }, [sessionId, running]);
  useEffect(() => {
    if (messages.length > 0) dropSaved(savedIds(messages));
  }, [messages]);

  const entries = useMemo(() => joinThread(messages, turns, keys), [messages, turns, keys]);
  return { saved, session: newest, turns, entries };
}
