// What is new in the user's rooms, for the navigation: the number of unread mentions, else a dot if anything is
// unread. Muted rooms do not count. A stream of hints says when to read the list again.
import { useInfiniteQuery, useQuery, useQueryClient } from "@tanstack/react-query";
import { useCallback } from "react";
import { refreshLists } from "@/features/rooms/model/list-cache";
import { api } from "@/lib/api/client";
import { meQuery, roomsQuery } from "@/lib/api/queries";
import { useSharedEvents } from "@/lib/streams/use-shared-events";
import { cappedCount, mentionWords } from "@/ui/capped-count";

export interface RoomNews {
  mentions: number;
  isUnread: boolean;
}

export function useRoomNews(): RoomNews {
  const { data: me } = useQuery(meQuery);
  const isNamed = Boolean(me?.id && me.role !== "visitor");
  const { data } = useInfiniteQuery({ ...roomsQuery, enabled: isNamed });
  const rows = data?.pages.flatMap((page) => page.data) ?? [];
  const audible = rows.filter((row) => row.is_member && !row.is_muted);
  return {
    mentions: audible.reduce((sum, row) => sum + row.mentions, 0),
    isUnread: audible.some((row) => row.unread > 0),
  };
}

/** Read the lists of rooms again whenever something happens in one of the user's. */
export function useRoomEvents(): void {
  const client = useQueryClient();
  const { data: me } = useQuery(meQuery);
  const refresh = useCallback(() => refreshLists(client), [client]);
  const isNamed = me?.id && me.role !== "visitor";
  useSharedEvents(isNamed ? `tutordesk.rooms.${me.id}` : "", api.followRooms, refresh, refresh);
}

export function RoomsMark({ news: { mentions, isUnread } }: { news: RoomNews }) {
  if (mentions > 0) {
    return (
      <span className="count-mark">
        <span aria-hidden="true">{cappedCount(mentions)}</span>
        <span className="sr-only">{mentionWords(mentions)}</span>
      </span>
    );
  }
  if (!isUnread) return null;
  return (
    <span className="unread-mark">
      <span className="sr-only">unread</span>
    </span>
  );
}
