// The ticket that a room is about, shown in the side panel.
import { Link } from "react-router";
import type { Ticket } from "@/lib/api/types";
import { Markdown } from "@/markdown/markdown";
import { Skeleton } from "@/ui/states";

export default function RoomTicket({
  ticket,
  isGone,
}: {
  ticket: Ticket | undefined;
  isGone: boolean;
}) {
  if (isGone) {
    return <p className="p-4 text-[14px] text-soft">The ticket of this room was deleted.</p>;
  }
  if (!ticket) return <Skeleton className="m-4 h-40" />;
  return (
    <div className="px-4 py-3.5 text-[14px] leading-[1.55]">
      <h2 dir="auto" className="text-[15px] leading-snug font-[620] break-words">
        <Link to={`/tickets/${ticket.id}`} className="hover:underline">
          {ticket.title}
        </Link>
      </h2>
      {ticket.category && (
        <p dir="auto" className="meta mt-0.5">
          {ticket.category}
        </p>
      )}
      {ticket.ai_summary && (
        <div className="mt-3 border-s-2 border-line ps-3 text-soft break-words">
          <p className="meta">AI summary</p>
          <p dir="auto">{ticket.ai_summary}</p>
        </div>
      )}
      <div className="mt-4">
        <Markdown text={ticket.description} />
      </div>
    </div>
  );
}
