// How the cached lists of rooms follow what happens in an open one.
import type { InfiniteData, QueryClient } from "@tanstack/react-query";
import type { Page } from "@/lib/api";
import { roomKeys } from "@/lib/queries";
import type { RoomRow } from "@/lib/types";

const TOGETHER_MS = 1_000;
let timer: ReturnType<typeof setTimeout> | undefined;

/** Reads the lists anew, at most once a second. */
export function refreshLists(client: QueryClient): void {
  if (timer !== undefined) return;
  timer = setTimeout(() => {
    timer = undefined;
    void client.invalidateQueries({ queryKey: roomKeys.lists });
  }, TOGETHER_MS);
}

/** Everything in the room was read. */
export function seenInLists(client: QueryClient, id: string, seq: number): void {
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
