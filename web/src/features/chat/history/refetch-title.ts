// Refetches the lists of chats for a new title. The model names a chat a moment after its first answer and no event says
// when, so the lists are read again twice.
import type { InfiniteData, QueryClient } from "@tanstack/react-query";
import type { Page } from "@/lib/api/transport";
import type { ChatSession, ChatSessionDetail } from "@/lib/api/types";
import { chatKeys } from "./queries";

const REFETCH_AFTER_MS = [1_500, 5_000];
const FIRST_EXCHANGE = 2;
const timers = new Map<string, ReturnType<typeof setTimeout>[]>();

type Pages<T> = InfiniteData<Page<T>>;

/** Return the number of messages in the cached chat or list, or 0 if neither is cached. */
function knownLength(client: QueryClient, id: string): number {
  const lists = client.getQueryData<Pages<ChatSession[]>>(chatKeys.sessions)?.pages ?? [];
  const rows = lists.flatMap((page) => page.data).filter((row) => row.id === id);
  const chats = client.getQueriesData<Pages<ChatSessionDetail>>({
    queryKey: chatKeys.session(id),
  });
  const details = chats.flatMap(([, chat]) => chat?.pages.map((page) => page.data) ?? []);
  return Math.max(0, ...[...rows, ...details].map((session) => session.message_count));
}

/** Refetch the lists soon and later if the chat may get its title now. Call when it changed and no answer runs. */
export function expectTitle(client: QueryClient, sessionId: string): void {
  if (knownLength(client, sessionId) > FIRST_EXCHANGE) return;
  for (const timer of timers.get(sessionId) ?? []) clearTimeout(timer);
  const refetch = () => {
    void client.invalidateQueries({ queryKey: chatKeys.sessions });
    void client.invalidateQueries({ queryKey: chatKeys.session(sessionId) });
  };
  timers.set(
    sessionId,
    REFETCH_AFTER_MS.map((ms) => setTimeout(refetch, ms)),
  );
}
