// Keeps the cached ticket lists in step when a ticket is created, changed, deleted or summarised.
import { hashKey, type InfiniteData, type QueryClient } from "@tanstack/react-query";
import { Problem } from "@/lib/api/problem";
import { ticketKeys, ticketListQuery } from "@/lib/api/queries";
import type { Page } from "@/lib/api/transport";
import type { Ticket, TicketItem } from "@/lib/api/types";

type Lists = InfiniteData<Page<TicketItem[]>, string>;

const UNFILTERED = hashKey(ticketListQuery({ q: "", category: "", tags: [] }).queryKey);

function mapLists(client: QueryClient, change: (items: TicketItem[]) => TicketItem[]): void {
  client.setQueriesData<Lists>({ queryKey: ticketKeys.lists }, (lists) =>
    lists?.pages
      ? {
          ...lists,
          pages: lists.pages.map((page) => ({ ...page, data: change(page.data) })),
        }
      : lists,
  );
}

/** Add a new ticket to the unfiltered list. Filtered lists are refetched, because only the server knows matches. */
export function addToLists(client: QueryClient, item: TicketItem): void {
  for (const [key, lists] of client.getQueriesData<Lists>({ queryKey: ticketKeys.lists })) {
    if (hashKey(key) !== UNFILTERED) {
      void client.invalidateQueries({ queryKey: key });
      continue;
    }
    const firstPage = lists?.pages[0];
    if (!lists || !firstPage) continue;
    if (lists.pages.some((page) => page.data.some((known) => known.id === item.id))) continue;
    const index = firstPage.data.findIndex((known) => known.created_at <= item.created_at);
    if (index < 0 && firstPage.next) continue; // a restored old ticket: it belongs further down
    const data = firstPage.data.toSpliced(index < 0 ? firstPage.data.length : index, 0, item);
    client.setQueryData<Lists>(key, {
      ...lists,
      pages: [{ ...firstPage, data }, ...lists.pages.slice(1)],
    });
  }
  void client.invalidateQueries({ queryKey: ticketKeys.facets });
}

export function replaceInLists(client: QueryClient, item: TicketItem): void {
  mapLists(client, (items) => items.map((known) => (known.id === item.id ? item : known)));
  const known = client.getQueryData<Ticket>(ticketKeys.ticket(item.id));
  if (known) void client.invalidateQueries({ queryKey: ticketKeys.ticket(item.id) });
  void client.invalidateQueries({ queryKey: ticketKeys.facets });
}

export function removeFromLists(client: QueryClient, id: string): void {
  mapLists(client, (items) => items.filter((known) => known.id !== id));
  void client.invalidateQueries({ queryKey: ticketKeys.facets });
}

/** Show a saved ticket at once. Its page reads it again, because the event of its summary may come before the answer. */
export function showSaved(client: QueryClient, ticket: Ticket): void {
  client.setQueryData(ticketKeys.ticket(ticket.id), ticket, { updatedAt: 0 });
}

/** Show a summary as pending at once, before the server says so. */
export function markPending(client: QueryClient, id: string): void {
  mapLists(client, (items) =>
    items.map((known) => (known.id === id ? { ...known, summary_status: "pending" } : known)),
  );
  client.setQueryData<Ticket>(ticketKeys.ticket(id), (known) =>
    known ? { ...known, summary_status: "pending" } : known,
  );
}

/** Return whether the server knows no such ticket, or the id is malformed. */
export const isMissing = (error: unknown): boolean =>
  error instanceof Problem && (error.status === 404 || error.status === 422);
