// The line above the transcript: what the tutor looks at, the name of the chat and its menu, and the buttons for a new
// chat and for the sheet with tickets and history.
import { PanelLeft, Plus, X } from "lucide-react";
import { memo, useState } from "react";
import { Link } from "react-router";
import { buttonClass } from "@/ui/button";
import { ChatMenu } from "./history/chat-menu";
import { RenameField } from "./history/rename-field";

interface ModeBarProps {
  ticketId: string | null;
  /** The title of the ticket. */
  title: string | undefined;
  sessionId: string | null;
  /** The name of the chat once it has been read. */
  name: string | undefined;
  onOpenSide: () => void;
}

function Mode({ ticketId, title }: Pick<ModeBarProps, "ticketId" | "title">) {
  if (!ticketId) return <span className="chip chip-on shrink-0">All tickets</span>;
  return (
    <span className="chip chip-on min-w-0 pe-1">
      <span className="shrink-0">About:</span>
      <Link dir="auto" to={`/tickets/${ticketId}`} className="truncate font-[550] hover:underline">
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
  );
}

function Bar({ ticketId, title, sessionId, name }: Omit<ModeBarProps, "onOpenSide">) {
  const [renaming, setRenaming] = useState(false);
  const chat = sessionId && name !== undefined ? { id: sessionId, title: name } : null;
  if (chat && renaming) return <RenameField session={chat} onDone={() => setRenaming(false)} />;
  return (
    <>
      <Mode ticketId={ticketId} title={title} />
      <span dir="auto" className="min-w-0 flex-1 truncate text-[14px] text-dim max-md:invisible">
        {name}
      </span>
      {chat && (
        <ChatMenu session={chat} className="min-h-9 min-w-9" onRename={() => setRenaming(true)} />
      )}
      <Link
        to={ticketId ? `/chat?ticket=${ticketId}` : "/chat"}
        className={buttonClass("quiet", "px-2")}
      >
        <Plus size={15} aria-hidden="true" />
        <span className="max-md:sr-only">New chat</span>
      </Link>
    </>
  );
}

export const ModeBar = memo(function ModeBar({ onOpenSide, ...bar }: ModeBarProps) {
  return (
    <div className="flex min-h-[47px] shrink-0 items-center gap-2.5 border-b border-line px-3 py-[5px] md:px-7">
      <button
        type="button"
        className="icon-button min-h-9 min-w-9 lg:hidden"
        aria-label="Tickets and history"
        onClick={onOpenSide}
      >
        <PanelLeft size={18} aria-hidden="true" />
      </button>
      <Bar key={bar.sessionId} {...bar} />
    </div>
  );
});
