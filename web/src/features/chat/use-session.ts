// Provides a saved chat with its live turns: reads it at its end or around a message, follows a running reply, refetches
// when other tabs change it, and drops turns once they are saved.
import { useInfiniteQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useMemo } from "react";
import { useShallow } from "zustand/react/shallow";
import { followReply } from "./ask/ask";
import { onChatChange } from "./ask/channel";
import { chatKey, dropSaved, isAnswering, type LiveTurn, useChat } from "./ask/store";
import { chatKeys, sessionQuery } from "./history/queries";
import { expectTitle } from "./history/refetch-title";
import { mergeThread } from "./thread/thread";
import { savedIds } from "./thread/versions";

const NONE: LiveTurn[] = [];

export function useSession(chat: string, sessionId: string | null, around: string | null) {
  const client = useQueryClient();
  const saved = useInfiniteQuery({
    ...sessionQuery(sessionId ?? "", around),
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
        const { turns } = useChat.getState();
        if (!isAnswering(turns, chatKey(changed, null))) expectTitle(client, changed);
      }),
    [client],
  );
  useEffect(() => {
    if (sessionId && running) followReply(sessionId, running);
  }, [sessionId, running]);
  useEffect(() => {
    if (messages.length > 0) dropSaved(savedIds(messages));
  }, [messages]);

  // Live turns belong after the newest message, which may not be read yet.
  const shown = saved.hasPreviousPage ? NONE : turns;
  const entries = useMemo(() => mergeThread(messages, shown, keys), [messages, shown, keys]);
  return { saved, session: newest, turns, entries };
}
