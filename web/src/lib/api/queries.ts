// Queries that more than one feature shares: one cache entry for each thing the server knows, so that an
// event or a saved form changes it everywhere at once.
import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { api, type TicketFilter, ticketsPath } from "./client";

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

export const roomKeys = {
  lists: ["rooms", "list"] as const,
  all: ["rooms", "list", "all"] as const,
};

/** All rooms, the lately active first. */
export const roomsQuery = infiniteQueryOptions({
  queryKey: roomKeys.all,
  queryFn: ({ pageParam, signal }) => api.listRooms(pageParam, signal),
  initialPageParam: "/rooms",
  getNextPageParam: (last) => last.next ?? undefined,
});

/** The rooms about a ticket. */
export const ticketRoomsQuery = (ticketId: string) =>
  queryOptions({
    queryKey: [...roomKeys.lists, "ticket", ticketId],
    queryFn: ({ signal }) =>
      api.listRooms(`/rooms?ticket_id=${encodeURIComponent(ticketId)}&limit=1`, signal),
  });
