// The user's own rooms beside the open one, on wide screens.
import { useInfiniteQuery } from "@tanstack/react-query";
import { memo } from "react";
import { Link } from "react-router";
import { roomsQuery } from "@/lib/api/queries";
import type { RoomRow } from "@/lib/api/types";
import { cn } from "@/ui/cn";
import { UnreadMarks } from "./room-row";

function ColumnRow({ row, isCurrent }: { row: RoomRow; isCurrent: boolean }) {
  const isUnread = row.unread > 0 && !row.is_muted && !isCurrent;
  return (
    <li>
      <Link
        to={`/rooms/${row.id}`}
        aria-current={isCurrent ? "page" : undefined}
        className={cn(
          "block border-s-2 px-3.5 py-2 text-[14px] leading-[1.4] -outline-offset-2",
          isCurrent ? "border-accent bg-panel" : "border-transparent hover:bg-panel",
        )}
      >
        <span className="flex items-center gap-2">
          <span
            dir="auto"
            className={cn(
              "min-w-0 flex-1 truncate",
              isUnread ? "font-bold" : "font-normal",
              row.is_muted && "text-dim",
            )}
          >
            {row.name}
          </span>
          {!isCurrent && <UnreadMarks row={row} />}
        </span>
        <span dir="auto" className="block truncate text-[13px] text-dim">
          {row.last_message || row.topic || "No messages yet"}
        </span>
      </Link>
    </li>
  );
}

export const RoomsColumn = memo(function RoomsColumn({ current }: { current: string }) {
  const { data } = useInfiniteQuery(roomsQuery);
  const rows = data?.pages.flatMap((page) => page.data).filter((row) => row.is_member) ?? [];
  return (
    <nav
      aria-label="Your rooms"
      className="relative hidden w-[220px] shrink-0 flex-col border-e border-line xl:flex"
    >
      <Link
        to="/rooms"
        className="flex h-[56px] shrink-0 items-center border-b border-line px-4 text-[15px] font-[620] -outline-offset-2 hover:bg-panel"
      >
        Rooms
      </Link>
      <ul className="scroller min-h-0 flex-1 [scrollbar-gutter:auto]">
        {rows.map((row) => (
          <ColumnRow key={row.id} row={row} isCurrent={row.id === current} />
        ))}
      </ul>
      {data && rows.length === 0 && (
        <p className="absolute px-4 pt-[68px] text-[14px] text-dim">Rooms you join appear here.</p>
      )}
    </nav>
  );
});
