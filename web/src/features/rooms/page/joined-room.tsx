// A room as its members see it: header, timeline and composer, and beside them the members and the ticket. Below
// 1024 px the side panel becomes a sheet.
import { useQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { ticketQuery } from "@/lib/api/queries";
import { MentionNames } from "@/markdown/mentions";
import { Dialog } from "@/ui/dialog";
import { useCurrentRoom, useMembers } from "../model/room-context";
import { Timeline } from "../timeline/timeline";
import { RoomFooter } from "./room-footer";
import { RoomHeader } from "./room-header";
import { type PanelTab, RoomPanel } from "./room-panel";

function useMentionNames(): string[] {
  const members = useMembers();
  return useMemo(() => ["tutor", ...members.map(({ name }) => name)], [members]);
}

export function JoinedRoom() {
  const names = useMentionNames();
  const ticketId = useCurrentRoom((view) => view.room?.ticket_id ?? null);
  const ticket = useQuery({ ...ticketQuery(ticketId ?? ""), enabled: ticketId !== null, retry: 1 });
  const [sheet, setSheet] = useState<PanelTab | null>(null);
  return (
    <>
      <div className="flex min-w-0 flex-1 flex-col">
        <RoomHeader ticketTitle={ticket.data?.title} onOpen={setSheet} />
        <MentionNames value={names}>
          <Timeline />
        </MentionNames>
        <RoomFooter />
      </div>
      <aside
        aria-label="About the room"
        className={`hidden shrink-0 border-s border-line lg:flex ${ticketId ? "w-[288px]" : "w-[216px]"}`}
      >
        <RoomPanel ticketId={ticketId} ticket={ticket.data} isTicketGone={ticket.isError} />
      </aside>
      <Dialog
        open={sheet !== null}
        onClose={() => setSheet(null)}
        title={sheet === "ticket" ? "Ticket" : "People"}
        kind="sheet"
      >
        <RoomPanel
          key={sheet}
          ticketId={ticketId}
          ticket={ticket.data}
          isTicketGone={ticket.isError}
          only={sheet ?? undefined}
        />
      </Dialog>
    </>
  );
}
