// Keeps the cached lists of rooms in step with the open room.
import type { InfiniteData, QueryClient } from "@tanstack/react-query";
import { roomKeys } from "@/lib/api/queries";
import type { Page } from "@/lib/api/transport";
import type { RoomRow } from "@/lib/api/types";

const MIN_INTERVAL_MS = 1_000;
let timer: ReturnType<typeof setTimeout> | undefined;

/** Refetch the lists, at most once a second. */
export function refreshLists(client: QueryClient): void {
  if (timer !== undefined) return;
  timer = setTimeout(() => {
    timer = undefined;
    void client.invalidateQueries({ queryKey: roomKeys.lists });
  }, MIN_INTERVAL_MS);
}

/** Mark everything in the room as read up to `seq`, without asking the server. */
export function markReadInLists(client: QueryClient, id: string, seq: number): void {
  client.setQueryData<InfiniteData<Page<RoomRow[]>, string>>(
    roomKeys.all,
    (lists) =>
      lists && {
        ...lists,
        pages: lists.pages.map((page) => ({
          ...page,
          data: page.data.map((row) =>
            row.id === id ? { ...row, unread: 0, mentions: 0, read_seq: seq } : row,
          ),
        })),
      },
  );
}
