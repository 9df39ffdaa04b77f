// Queries that several features share. Each thing has one cache entry, so an event or a saved form changes it
// everywhere at once.
import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { api } from "./client";
import type { Page } from "./transport";
import type { TicketFilter } from "./types";

/** The mark of the first page of a list. */
export const FIRST_PAGE = "";

/** Return the mark of the page after this one, or undefined at the end. */
export const nextCursor = (page: Page<unknown>): string | undefined => page.next?.cursor;

export const ticketKeys = {
  all: ["tickets"] as const,
  lists: ["tickets", "list"] as const,
  facets: ["tickets", "facets"] as const,
  ticket: (id: string) => ["tickets", "one", id] as const,
};

export const ticketListQuery = (filter: TicketFilter) =>
  infiniteQueryOptions({
    queryKey: [...ticketKeys.lists, filter],
    queryFn: ({ pageParam, signal }) => {
      const { q, category, tags } = filter;
      const only = { q: q || undefined, category: category || undefined, tag: tags };
      return api.listTickets({ ...only, limit: 30, cursor: pageParam || undefined }, signal);
    },
    initialPageParam: FIRST_PAGE,
    getNextPageParam: nextCursor,
  });

export const facetsQuery = queryOptions({
  queryKey: ticketKeys.facets,
  queryFn: ({ signal }) => api.listFacets(signal),
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

export const roomKeys = {
  lists: ["rooms", "list"] as const,
  all: ["rooms", "list", "all"] as const,
};

/** All rooms, the most recently active first. */
export const roomsQuery = infiniteQueryOptions({
  queryKey: roomKeys.all,
  queryFn: ({ pageParam, signal }) => api.listRooms({ cursor: pageParam || undefined }, signal),
  initialPageParam: FIRST_PAGE,
  getNextPageParam: nextCursor,
});

/** The rooms about a ticket. */
export const ticketRoomsQuery = (ticketId: string) =>
  queryOptions({
    queryKey: [...roomKeys.lists, "ticket", ticketId],
    queryFn: ({ signal }) => api.listRooms({ ticket_id: ticketId, limit: 1 }, signal),
  });
