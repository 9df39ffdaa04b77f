// A room from inside: what it is, what is said, where one writes, and beside it the people and the ticket. Under
// 1024 px what stands beside becomes a sheet.
import { useQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { ticketQuery } from "@/lib/queries";
import { MentionNames } from "@/markdown/mentions";
import { Dialog } from "@/ui/dialog";
import { useMembers, useRoomHere } from "../model/room-context";
import { Timeline } from "../timeline/timeline";
import { Foot } from "./room-footer";
import { RoomHeader } from "./room-header";
import { Panel, type PanelTab } from "./room-panel";

function useMentionNames(): string[] {
  const members = useMembers();
  return useMemo(() => ["tutor", ...members.map(({ name }) => name)], [members]);
}

export function Inside() {
  const names = useMentionNames();
  const ticketId = useRoomHere((view) => view.room?.ticket_id ?? null);
  const ticket = useQuery({ ...ticketQuery(ticketId ?? ""), enabled: ticketId !== null, retry: 1 });
  const [sheet, setSheet] = useState<PanelTab | null>(null);
  return (
    <>
      <div className="flex min-w-0 flex-1 flex-col">
        <RoomHeader title={ticket.data?.title} onOpen={setSheet} />
        <MentionNames value={names}>
          <Timeline />
        </MentionNames>
        <Foot />
      </div>
      <aside
        aria-label="About the room"
        className={`hidden shrink-0 border-l border-line lg:flex ${ticketId ? "w-[288px]" : "w-[216px]"}`}
      >
        <Panel ticketId={ticketId} ticket={ticket.data} isTicketGone={ticket.isError} />
      </aside>
      <Dialog
        open={sheet !== null}
        onClose={() => setSheet(null)}
        title={sheet === "ticket" ? "Ticket" : "People"}
        kind="sheet"
      >
        <Panel
          key={sheet}
          ticketId={ticketId}
          ticket={ticket.data}
          isTicketGone={ticket.isError}
          first={sheet ?? undefined}
        />
      </Dialog>
    </>
  );
}
