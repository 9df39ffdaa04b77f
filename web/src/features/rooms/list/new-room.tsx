// The dialog that creates a room, about a ticket or not, and opens it. People without a name are asked for one first.
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "react-router";
import { api } from "@/lib/api/client";
import { ticketQuery } from "@/lib/api/queries";
import { askIdentity } from "@/lib/browser/identity";
import { Dialog } from "@/ui/dialog";
import { refreshLists } from "../model/list-cache";
import { isNameNeeded, NAME_REASON } from "../model/name-needed";
import { RoomForm } from "./room-form";

const MAX_NAME_CHARS = 80;

interface NewRoomProps {
  open: boolean;
  ticketId: string | null;
  onClose: () => void;
}

export function NewRoom({ open, ticketId, onClose }: NewRoomProps) {
  const client = useQueryClient();
  const navigate = useNavigate();
  const ticket = useQuery({
    ...ticketQuery(ticketId ?? ""),
    enabled: open && ticketId !== null,
    retry: 1,
  });
  const isReady = ticketId === null || !ticket.isPending;
  return (
    <Dialog open={open} onClose={onClose} title="New room">
      {ticket.data && (
        <p className="mb-3 text-[14px] text-soft">
          About the ticket{" "}
          <strong dir="auto" className="text-text">
            {ticket.data.title}
          </strong>
          . The tutor answers from it.
        </p>
      )}
      {isReady && (
        <RoomForm
          initial={{ name: ticket.data?.title.slice(0, MAX_NAME_CHARS) ?? "", topic: "" }}
          label="Create room"
          busyLabel="Creating…"
          save={async (fields) => {
            const body = { ...fields, ...(ticket.data && { ticket_id: ticket.data.id }) };
            try {
              return await api.createRoom(body);
            } catch (error) {
              const isNamed = isNameNeeded(error) && (await askIdentity("name", NAME_REASON));
              if (!isNamed) throw error;
              return api.createRoom(body);
            }
          }}
          onSaved={(room) => {
            refreshLists(client);
            navigate(`/rooms/${room.id}`);
          }}
        />
      )}
    </Dialog>
  );
}
