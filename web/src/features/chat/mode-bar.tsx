// The line above the transcript: what the tutor looks at, always visible; a new chat; the side's sheet.
import { PanelLeft, Plus, X } from "lucide-react";
import { memo } from "react";
import { Link } from "react-router";
import { buttonClass } from "@/ui/button";

interface ModeBarProps {
  ticketId: string | null;
  title: string | undefined;
  onOpenSide: () => void;
}

export const ModeBar = memo(function ModeBar({ ticketId, title, onOpenSide }: ModeBarProps) {
  return (
    <div className="flex h-[47px] shrink-0 items-center gap-2.5 border-b border-line px-3 md:px-7">
      <button
        type="button"
        className="icon-button min-h-9 min-w-9 lg:hidden"
        aria-label="Tickets and history"
        onClick={onOpenSide}
      >
        <PanelLeft size={18} aria-hidden="true" />
      </button>
      {ticketId ? (
        <span className="chip chip-on min-w-0 pr-1">
          <span className="shrink-0">About:</span>
          <Link to={`/tickets/${ticketId}`} className="truncate font-[550] hover:underline">
            {title ?? "…"}
          </Link>
          <Link
            to="/chat"
            aria-label="Ask about all tickets instead"
            className="grid size-6 shrink-0 place-items-center rounded-full hover:bg-raise"
          >
            <X size={13} aria-hidden="true" />
          </Link>
        </span>
      ) : (
        <span className="chip chip-on">All tickets</span>
      )}
      <span className="flex-1" />
      <Link
        to={ticketId ? `/chat?ticket=${ticketId}` : "/chat"}
        className={buttonClass("quiet", "px-2")}
      >
        <Plus size={15} aria-hidden="true" />
        <span className="max-md:sr-only">New chat</span>
      </Link>
    </div>
  );
});
