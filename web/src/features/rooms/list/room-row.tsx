// One room in a list. A room with unread messages is bold and has a number, mentions have their own number, and a
// muted room is grey.
import { BellOff, BookText } from "lucide-react";
import { Link } from "react-router";
import type { RoomRow } from "@/lib/api/types";
import { cappedCount, mentionWords } from "@/ui/capped-count";
import { cn } from "@/ui/cn";
import { Time } from "@/ui/time";

export function UnreadMarks({ row }: { row: RoomRow }) {
  if (row.is_muted) {
    return (
      <span className="text-dim">
        <BellOff size={13} aria-hidden="true" />
        <span className="sr-only">muted</span>
      </span>
    );
  }
  if (row.mentions > 0) {
    const words = mentionWords(row.mentions);
    return (
      <span className="count-mark" title={words}>
        <span aria-hidden="true">@{cappedCount(row.mentions)}</span>
        <span className="sr-only">{words}</span>
      </span>
    );
  }
  if (row.unread === 0) return null;
  return (
    <span className="meta font-semibold text-accent">
      {cappedCount(row.unread)}
      <span className="sr-only"> unread</span>
    </span>
  );
}

function secondLine(row: RoomRow): string {
  if (row.is_removed) return "An admin removed you from this room.";
  return row.last_message || row.topic || (row.is_member ? "No messages yet" : "");
}

export function RoomListItem({ row }: { row: RoomRow }) {
  const isUnread = row.unread > 0 && !row.is_muted;
  return (
    <li>
      <Link
        to={`/rooms/${row.id}`}
        data-room={row.id}
        className={cn(
          "grid grid-cols-[minmax(0,1fr)_auto] items-baseline gap-x-4 border-b border-line px-4 py-2.5 -outline-offset-2 hover:bg-panel md:px-3",
          row.is_muted && "text-dim",
        )}
      >
        <span className="flex min-w-0 items-center gap-2">
          <span dir="auto" className={cn("truncate", isUnread ? "font-bold" : "font-normal")}>
            {row.name}
          </span>
          {row.ticket_id && (
            <span className="shrink-0 text-dim" title="About a ticket">
              <BookText size={13} aria-hidden="true" />
              <span className="sr-only">about a ticket</span>
            </span>
          )}
          <UnreadMarks row={row} />
        </span>
        <span className="meta text-end">
          <Time at={row.active_at} />
        </span>
        <span
          dir="auto"
          className={cn(
            "min-w-0 truncate text-[14px]",
            isUnread ? "text-text" : row.is_muted ? "text-dim" : "text-soft",
          )}
        >
          {secondLine(row)}
        </span>
        <span className="meta text-end">
          {row.member_count} {row.member_count === 1 ? "person" : "people"}
        </span>
      </Link>
    </li>
  );
}
