// Changes of tickets as they happen. One stream serves all tabs of a browser: a visible tab reads it and
// passes events on. Nothing is kept by the server, so whoever connects again reads the lists anew.
// Events: created, updated (data: the list item), deleted (data: {"id"}).
import { type QueryClient, useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { send } from "@/lib/api";
import { ticketKeys } from "@/lib/queries";
import { isAbort, SharedStream } from "@/lib/shared-stream";
import { backoff, pause, readEvents } from "@/lib/sse";
import type { TicketItem } from "@/lib/types";
import { addToLists, removeFromLists, replaceInLists } from "./list-cache";

export interface TicketEvent {
  event: string;
  data: string;
}

export function applyTicketEvent(client: QueryClient, { event, data }: TicketEvent): void {
  let value: unknown;
  try {
    value = JSON.parse(data);
  } catch {
    return;
  }
  if (event === "created") addToLists(client, value as TicketItem);
  if (event === "updated") replaceInLists(client, value as TicketItem);
  if (event === "deleted") removeFromLists(client, (value as { id: string }).id);
}

/** Reads the stream until aborted, reconnecting; calls `onOpen` on each connection. */
async function follow(
  signal: AbortSignal,
  onOpen: () => void,
  onEvent: (event: TicketEvent) => void,
): Promise<void> {
  for (let attempt = 0; !signal.aborted; attempt++) {
    try {
      const response = await send("/tickets/events", {
        headers: { Accept: "text/event-stream" },
        signal,
      });
      if (response.ok) {
        attempt = 0;
        onOpen();
        await readEvents(response, ({ event, data }) => {
          onEvent({ event, data });
          return undefined;
        });
      }
    } catch (error) {
      if (isAbort(error)) return;
    }
    await pause(backoff(attempt + 1), signal).catch(() => undefined);
  }
}

export function useTicketEvents(): void {
  const client = useQueryClient();
  useEffect(() => {
    const refetch = () => {
      void client.invalidateQueries({ queryKey: ticketKeys.lists });
      void client.invalidateQueries({ queryKey: ticketKeys.facets });
    };
    const stream = new SharedStream<TicketEvent>("tutordesk.tickets", (event) => {
      if (event.event === "reconnected") refetch();
      else applyTicketEvent(client, event);
    });
    let current: AbortController | null = null;
    let openings = 0;
    const read = (signal: AbortSignal, waited: boolean) => {
      // Nothing can be missed before the very first connection: the lists were just read.
      const onOpen = () => {
        openings += 1;
        if (openings === 1 && !waited) return;
        refetch();
        stream.post({ event: "reconnected", data: "" });
      };
      const onEvent = (event: TicketEvent) => {
        applyTicketEvent(client, event);
        stream.post(event);
      };
      return follow(signal, onOpen, onEvent);
    };
    const start = () => {
      if (current || document.visibilityState === "hidden") return;
      current = new AbortController();
      stream.lead(read, { signal: current.signal }).catch((error: unknown) => {
        if (!isAbort(error)) throw error;
      });
    };
    const onVisibility = () => {
      if (document.visibilityState === "hidden") {
        current?.abort();
        current = null;
      } else {
        if (!current) refetch();
        start();
      }
    };
    start();
    document.addEventListener("visibilitychange", onVisibility);
    return () => {
      document.removeEventListener("visibilitychange", onVisibility);
      current?.abort();
      stream.close();
    };
  }, [client]);
}
