// Live changes of tickets, in all tabs of a browser.
import { type Query, type QueryClient, useQueryClient } from "@tanstack/react-query";
import { useCallback } from "react";
import { api } from "@/lib/api/client";
import { ticketKeys } from "@/lib/api/queries";
import type { TicketEvents } from "@/lib/api/types";
import { type SharedEvent, useSharedEvents } from "@/lib/streams/use-shared-events";
import { addToLists, removeFromLists, replaceInLists } from "./list-cache";

const apply: {
  [Name in keyof TicketEvents]: (client: QueryClient, data: TicketEvents[Name]) => void;
} = {
  created: addToLists,
  updated: replaceInLists,
  deleted: (client, { id }) => removeFromLists(client, id),
};

/** Change the cached lists as the event says. Events that are unknown or not JSON are ignored. */
export function applyTicketEvent(client: QueryClient, { event, data }: SharedEvent): void {
  if (event !== "created" && event !== "updated" && event !== "deleted") return;
  try {
    apply[event](client, JSON.parse(data));
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
}

/** Keep the cached tickets and their lists current while this component is mounted. */
export function useTicketEvents(): void {
  const client = useQueryClient();
  const onConnect = useCallback(() => {
    const predicate = ({ state }: Query) => state.data !== undefined;
    void client.invalidateQueries({ queryKey: ticketKeys.all, predicate });
  }, [client]);
  const onEvent = useCallback((event: SharedEvent) => applyTicketEvent(client, event), [client]);
  useSharedEvents("tutordesk.tickets", api.followTickets, onConnect, onEvent);
}
