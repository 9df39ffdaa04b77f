// Queries that more than one feature shares: one cache entry for each thing the server knows, so that an
// event or a saved form changes it everywhere at once.
import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { api, type TicketFilter, ticketsPath } from "./api";

export const ticketKeys = {
  lists: ["tickets", "list"] as const,
  facets: ["tickets", "facets"] as const,
  ticket: (id: string) => ["tickets", "one", id] as const,
};

export const ticketListQuery = (filter: TicketFilter) =>
  infiniteQueryOptions({
    queryKey: [...ticketKeys.lists, filter],
    queryFn: ({ pageParam, signal }) => api.listTickets(pageParam, signal),
    initialPageParam: ticketsPath(filter),
    getNextPageParam: (last) => last.next ?? undefined,
  });

export const facetsQuery = queryOptions({
  queryKey: ticketKeys.facets,
  queryFn: ({ signal }) => api.readFacets(signal),
  staleTime: 30_000,
});

export const ticketQuery = (id: string) =>
  queryOptions({
    queryKey: ticketKeys.ticket(id),
    queryFn: ({ signal }) => api.readTicket(id, signal),
  });

export const meQuery = queryOptions({
  queryKey: ["me"],
  queryFn: ({ signal }) => api.readMe(signal),
  staleTime: 60_000,
});
