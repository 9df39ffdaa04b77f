// The panel beside a room's timeline: its members and, in a room about a ticket, that ticket.
import { lazy, Suspense, useState } from "react";
import type { Ticket } from "@/lib/api/types";
import { cn } from "@/ui/cn";
import { MemberList } from "../members/member-list";
import { useMembers } from "../model/room-context";

// Fetched in parallel with the page: the first frame needs no Markdown.
const RoomTicket = lazy(() => import("./room-ticket"));

export type PanelTab = "ticket" | "people";

interface RoomPanelProps {
  ticketId: string | null;
  ticket: Ticket | undefined;
  isTicketGone: boolean;
  /** Show only this tab, as a sheet does. */
  only?: PanelTab;
}

export function RoomPanel({ ticketId, ticket, isTicketGone, only }: RoomPanelProps) {
  const [tab, setTab] = useState<PanelTab>(only ?? "ticket");
  const memberCount = useMembers().length;
  const shown = ticketId ? tab : "people";
  const button = (name: PanelTab, label: string) => (
    <button
      type="button"
      aria-pressed={tab === name}
      onClick={() => setTab(name)}
      className={cn(
        "-mb-px border-b-2 px-0.5 text-[14px] font-[550]",
        tab === name ? "border-accent text-text" : "border-transparent text-dim hover:text-text",
      )}
    >
      {label}
    </button>
  );
  return (
    <div className="flex min-h-0 min-w-0 flex-1 flex-col">
      {ticketId && !only && (
        <div className="flex h-[55px] shrink-0 gap-4 border-b border-line px-4">
          {button("ticket", "Ticket")}
          {button("people", `People · ${memberCount}`)}
        </div>
      )}
      <section
        aria-label={shown === "ticket" ? "Ticket" : "People"}
        tabIndex={0}
        className="scroller min-h-0 flex-1 -outline-offset-2 [scrollbar-gutter:auto]"
      >
        {shown === "ticket" ? (
          <Suspense fallback={null}>
            <RoomTicket ticket={ticket} isGone={isTicketGone} />
          </Suspense>
        ) : (
          <MemberList />
        )}
      </section>
    </div>
  );
}
