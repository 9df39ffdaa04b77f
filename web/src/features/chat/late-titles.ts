// The model names a chat a moment after its first answer, and nothing tells when: the lists are read again
// twice, soon and later.
import type { InfiniteData, QueryClient } from "@tanstack/react-query";
import type { Page } from "@/lib/api";
import type { ChatSession } from "@/lib/types";
import { chatKeys } from "./queries";

const LATER_MS = [1_500, 5_000];
const FIRST_EXCHANGE = 2;
const timers = new Map<string, ReturnType<typeof setTimeout>[]>();

/** Call when a chat changed and no answer runs in it. */
export function expectTitle(client: QueryClient, sessionId: string): void {
  const lists = client.getQueryData<InfiniteData<Page<ChatSession[]>>>(chatKeys.sessions);
  const known = lists?.pages.flatMap((page) => page.data).find((row) => row.id === sessionId);
  if (known && known.message_count > FIRST_EXCHANGE) return;
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
