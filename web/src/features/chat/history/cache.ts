// Changes the cached lists of chats at once, before the server is asked again.
import type { InfiniteData, QueryClient } from "@tanstack/react-query";
import type { Page } from "@/lib/api/transport";
import type { ChatSession, ChatSessionDetail } from "@/lib/api/types";
import { chatKeys } from "./queries";

type Pages<T> = InfiniteData<Page<T>, string>;

function changeLists(client: QueryClient, change: (rows: ChatSession[]) => ChatSession[]): void {
  client.setQueryData<Pages<ChatSession[]>>(
    chatKeys.sessions,
    (lists) =>
      lists && {
        ...lists,
        pages: lists.pages.map((page) => ({ ...page, data: change(page.data) })),
      },
  );
  client.setQueriesData<ChatSession[]>(
    { queryKey: chatKeys.searches },
    (rows) => rows && change(rows),
  );
}

export function renameInCache(client: QueryClient, id: string, title: string): void {
  changeLists(client, (rows) => rows.map((row) => (row.id === id ? { ...row, title } : row)));
  client.setQueriesData<Pages<ChatSessionDetail>>(
    { queryKey: chatKeys.session(id) },
    (chat) =>
      chat && {
        ...chat,
        pages: chat.pages.map((page) => ({ ...page, data: { ...page.data, title } })),
      },
  );
}

/** Remove a deleted chat from the lists and the cache, so that the change announced next does not read it again. */
export function removeFromCache(client: QueryClient, id: string): void {
  changeLists(client, (rows) => rows.filter((row) => row.id !== id));
  client.removeQueries({ queryKey: chatKeys.session(id) });
}
