// The model names a chat a moment after its first answer, and nothing tells when: the lists are read again
// twice, soon and later.
import type { InfiniteData, QueryClient } from "@tanstack/react-query";
import type { Page } from "@/lib/api/transport";
import type { ChatSession, ChatSessionDetail } from "@/lib/api/types";
import { chatKeys } from "./queries";

const LATER_MS = [1_500, 5_000];
const FIRST_EXCHANGE = 2;
const timers = new Map<string, ReturnType<typeof setTimeout>[]>();

type Pages<T> = InfiniteData<Page<T>>;

/** How many messages the chat had when it or the list was read last; 0 when neither was. */
function knownLength(client: QueryClient, id: string): number {
  const lists = client.getQueryData<Pages<ChatSession[]>>(chatKeys.sessions)?.pages ?? [];
  const rows = lists.flatMap((page) => page.data).filter((row) => row.id === id);
  const chats = client.getQueriesData<Pages<ChatSessionDetail>>({
    queryKey: chatKeys.session(id),
  });
  const read = chats.flatMap(([, chat]) => chat?.pages.map((page) => page.data) ?? []);
  return Math.max(0, ...[...rows, ...read].map((one) => one.message_count));
}

/** Call when a chat changed and no answer runs in it. */
export function expectTitle(client: QueryClient, sessionId: string): void {
  if (knownLength(client, sessionId) > FIRST_EXCHANGE) return;
  for (const timer of timers.get(sessionId) ?? []) clearTimeout(timer);
  const read = () => {
    void client.invalidateQueries({ queryKey: chatKeys.sessions });
    void client.invalidateQueries({ queryKey: chatKeys.session(sessionId) });
  };
  timers.set(
    sessionId,
    LATER_MS.map((ms) => setTimeout(read, ms)),
  );
}
