// What is new in the user's rooms, for the navigation: the number of unread mentions, else a dot if anything is
// unread. Muted rooms do not count.
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { meQuery, roomsQuery } from "@/lib/api/queries";
import { cappedCount, mentionWords } from "@/ui/capped-count";

const REFRESH_MS = 60_000;

export interface RoomNews {
  mentions: number;
  isUnread: boolean;
}

export function useRoomNews(): RoomNews {
  const { data: me } = useQuery(meQuery);
  const { data } = useInfiniteQuery({
    ...roomsQuery,
    enabled: Boolean(me?.id && me.role !== "visitor"),
    refetchInterval: REFRESH_MS,
  });
  const rows = data?.pages.flatMap((page) => page.data) ?? [];
  const audible = rows.filter((row) => row.is_member && !row.is_muted);
  return {
    mentions: audible.reduce((sum, row) => sum + row.mentions, 0),
    isUnread: audible.some((row) => row.unread > 0),
  };
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
