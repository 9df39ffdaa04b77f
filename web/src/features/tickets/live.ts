// Changes of tickets as they happen. One stream serves all tabs of a browser: the visible tab that holds
// a lock reads it and passes events on, because a browser allows only six connections to one server.
// Events: created, updated (data: the list item), deleted (data: {"id"}).
import { type QueryClient, useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { send } from "@/lib/api";
import { ticketKeys } from "@/lib/queries";
import { backoff, pause, readEvents } from "@/lib/sse";
import type { TicketItem } from "@/lib/types";
import { addToLists, removeFromLists, replaceInLists } from "./cache";

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

const isAbort = (error: unknown): boolean =>
  error instanceof DOMException && error.name === "AbortError";

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

/** Holds the browser-wide lock while reading, where the browser has locks (secure origins). */
async function lead(signal: AbortSignal, read: () => Promise<void>): Promise<void> {
  if (!navigator.locks) return read();
  await navigator.locks
    .request("tutordesk.ticket-events", { signal }, read)
    .catch((error: unknown) => {
      if (!isAbort(error)) throw error;
    });
}

export function useTicketEvents(): void {
  const client = useQueryClient();
  useEffect(() => {
    const channel =
      typeof BroadcastChannel === "function" ? new BroadcastChannel("tutordesk.tickets") : null;
    const refetch = () => {
      void client.invalidateQueries({ queryKey: ticketKeys.lists });
      void client.invalidateQueries({ queryKey: ticketKeys.facets });
    };
    if (channel) {
      channel.onmessage = ({ data }: MessageEvent<TicketEvent>) => {
        if (data.event === "reconnected") refetch();
        else applyTicketEvent(client, data);
      };
    }
    let current: AbortController | null = null;
    let openings = 0;
    const start = () => {
      if (current || document.visibilityState === "hidden") return;
      const own = new AbortController();
      current = own;
      // Nothing can be missed before the very first connection: the lists were just read.
      const onOpen = () => {
        openings += 1;
        if (openings === 1) return;
        refetch();
        channel?.postMessage({ event: "reconnected", data: "" });
      };
      const onEvent = (event: TicketEvent) => {
        applyTicketEvent(client, event);
        channel?.postMessage(event);
      };
      void lead(own.signal, () => follow(own.signal, onOpen, onEvent));
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
      current = null;
      channel?.close();
    };
  }, [client]);
}
