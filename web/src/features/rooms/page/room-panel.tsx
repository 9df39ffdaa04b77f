// What stands beside a room's timeline: its people, and where it is about a ticket, the ticket.
import { lazy, Suspense, useState } from "react";
import type { Ticket } from "@/lib/types";
import { cn } from "@/ui/cn";
import { Members } from "../members/member-list";
import { useMembers } from "../model/room-context";

// Fetched beside the page, not before it: the first frame needs no Markdown.
const TicketView = lazy(() => import("./room-ticket"));

export type PanelTab = "ticket" | "people";

interface PanelProps {
  ticketId: string | null;
  ticket: Ticket | undefined;
  isTicketGone: boolean;
  /** Only this one, as a sheet. */
  first?: PanelTab;
}

export function Panel({ ticketId, ticket, isTicketGone, first }: PanelProps) {
  const [tab, setTab] = useState<PanelTab>(first ?? "ticket");
  const people = useMembers().length;
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
      {ticketId && !first && (
        <div className="flex h-[55px] shrink-0 gap-4 border-b border-line px-4">
          {button("ticket", "Ticket")}
          {button("people", `People · ${people}`)}
        </div>
      )}
      <section
        aria-label={shown === "ticket" ? "Ticket" : "People"}
        tabIndex={0}
        className="scroller min-h-0 flex-1 -outline-offset-2 [scrollbar-gutter:auto]"
      >
        {shown === "ticket" ? (
          <Suspense fallback={null}>
            <TicketView ticket={ticket} isGone={isTicketGone} />
          </Suspense>
        ) : (
          <Members />
        )}
      </section>
    </div>
  );
}
