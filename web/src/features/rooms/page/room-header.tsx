// The header of a room: its name and topic, how to ask the tutor, and the room's menu.
import { ArrowLeft, BookText, Users } from "lucide-react";
import { useState } from "react";
import { Link } from "react-router";
import { useCurrentRoom, useMembers, useRoomContext } from "../model/room-context";
import { RoomMenu } from "./room-menu";
import type { PanelTab } from "./room-panel";

interface RoomHeaderProps {
  /** The title of the room's ticket. */
  ticketTitle: string | undefined;
  onOpen: (tab: PanelTab) => void;
}

function PeopleButton({ onOpen }: Pick<RoomHeaderProps, "onOpen">) {
  const count = useMembers().length;
  return (
    <button
      type="button"
      className="icon-button min-h-9 min-w-9 grid-flow-col gap-1.5 px-2 lg:hidden"
      aria-label={`People, ${count}`}
      onClick={() => onOpen("people")}
    >
      <Users size={16} aria-hidden="true" />
      <span aria-hidden="true" className="text-[13px] tabular-nums">
        {count}
      </span>
    </button>
  );
}

export function RoomHeader({ ticketTitle, onOpen }: RoomHeaderProps) {
  const { id } = useRoomContext();
  const room = useCurrentRoom((view) => view.room);
  const [isMuted, setMuted] = useState(room?.is_muted ?? false);
  if (!room) return null;
  return (
    <header className="flex h-[56px] shrink-0 items-center gap-2 border-b border-line px-3 md:px-7">
      <Link
        to="/rooms"
        aria-label="All rooms"
        className="icon-button -ms-1 min-h-9 min-w-9 xl:hidden"
      >
        <ArrowLeft size={18} aria-hidden="true" />
      </Link>
      <div className="min-w-0 flex-1">
        <h1 className="flex min-w-0 items-baseline gap-2 text-[15px] leading-5 font-[620]">
          <span dir="auto" className="truncate">
            {room.name}
          </span>
          {isMuted && <span className="shrink-0 text-[13px] font-normal text-dim">muted</span>}
        </h1>
        <p className="truncate text-[13px] leading-5 text-dim">
          Write <span className="font-mono text-[12px] text-soft">@tutor</span> to ask
          {room.topic && (
            <>
              {" · "}
              <bdi>{room.topic}</bdi>
            </>
          )}
        </p>
      </div>
      {room.ticket_id && (
        <button
          type="button"
          className="icon-button min-h-9 min-w-9 lg:hidden"
          aria-label={ticketTitle ? `Ticket: ${ticketTitle}` : "Ticket"}
          onClick={() => onOpen("ticket")}
        >
          <BookText size={16} aria-hidden="true" />
        </button>
      )}
      <PeopleButton onOpen={onOpen} />
      <RoomMenu key={id} room={room} isMuted={isMuted} onMuted={setMuted} />
    </header>
  );
}
