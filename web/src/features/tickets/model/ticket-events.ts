// Live changes of tickets. One stream serves all tabs of a browser: a visible tab reads it and passes events on. The
// server keeps no events, so a client that connects reads again what it read before.
import { type Query, type QueryClient, useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { api } from "@/lib/api/client";
import { ticketKeys } from "@/lib/api/queries";
import type { TicketEvents } from "@/lib/api/types";
import { isAbort, SharedStream } from "@/lib/streams/shared-stream";
import { backoff, pause, readEvents, type ServerEvent } from "@/lib/streams/sse";
import { addToLists, removeFromLists, replaceInLists } from "./list-cache";

type TicketEvent = Pick<ServerEvent, "event" | "data">;

const apply: {
  [Name in keyof TicketEvents]: (client: QueryClient, data: TicketEvents[Name]) => void;
} = {
  created: addToLists,
  updated: replaceInLists,
  deleted: (client, { id }) => removeFromLists(client, id),
};

/** Change the cached lists as the event says. Events that are unknown or not JSON are ignored. */
export function applyTicketEvent(client: QueryClient, { event, data }: TicketEvent): void {
  if (event !== "created" && event !== "updated" && event !== "deleted") return;
  try {
    apply[event](client, JSON.parse(data));
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
}

/** Read the stream until aborted, and reconnect when it breaks. Calls `onOpen` on each connection. */
async function followEvents(
  signal: AbortSignal,
  onOpen: () => void,
  onEvent: (event: TicketEvent) => void,
): Promise<void> {
  for (let attempt = 0; !signal.aborted; attempt++) {
    try {
      const response = await api.followTickets(signal);
      attempt = 0;
      onOpen();
      await readEvents(response, ({ event, data }) => {
        onEvent({ event, data });
        return undefined;
      });
    } catch (error) {
      if (isAbort(error)) return;
    }
    await pause(backoff(attempt + 1), signal).catch(() => undefined);
  }
}

/** Keep the cached tickets and their lists current while this component is mounted. */
export function useTicketEvents(): void {
  const client = useQueryClient();
  useEffect(() => {
    const refetch = () => {
      const predicate = ({ state }: Query) => state.data !== undefined;
      void client.invalidateQueries({ queryKey: ticketKeys.all, predicate });
    };
    const shared = new SharedStream<TicketEvent>("tutordesk.tickets", (event) => {
      if (event.event === "connected") refetch();
      else applyTicketEvent(client, event);
    });
    let reading: AbortController | null = null;
    const read = (signal: AbortSignal) => {
      const onOpen = () => {
        refetch();
        shared.post({ event: "connected", data: "" });
      };
      const onEvent = (event: TicketEvent) => {
        applyTicketEvent(client, event);
        shared.post(event);
      };
      return followEvents(signal, onOpen, onEvent);
    };
    const start = () => {
      if (reading || document.visibilityState === "hidden") return;
      reading = new AbortController();
      shared.lead(read, { signal: reading.signal }).catch((error: unknown) => {
        if (!isAbort(error)) throw error;
      });
    };
    const onVisibility = () => {
      if (document.visibilityState === "hidden") {
        reading?.abort();
        reading = null;
      } else {
        if (!reading) refetch();
        start();
      }
    };
    start();
    document.addEventListener("visibilitychange", onVisibility);
    return () => {
      document.removeEventListener("visibilitychange", onVisibility);
      reading?.abort();
      shared.close();
    };
  }, [client]);
}
