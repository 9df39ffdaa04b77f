// An admin changes name and topic of a room.
import { useQueryClient } from "@tanstack/react-query";
import { api } from "@/lib/api";
import type { RoomOut } from "@/lib/types";
import { Dialog } from "@/ui/dialog";
import { RoomForm } from "../list/room-form";
import { refreshLists } from "../model/list-cache";
import { patchView } from "../model/store";

interface ChangeRoomProps {
  open: boolean;
  room: RoomOut;
  onClose: () => void;
}

export function ChangeRoom({ open, room, onClose }: ChangeRoomProps) {
  const client = useQueryClient();
  return (
    <Dialog open={open} onClose={onClose} title="Name and topic">
      <RoomForm
        first={room}
        label="Save"
        busyLabel="Saving…"
        save={(facts) => api.changeRoom(room.id, facts)}
        onSaved={(saved) => {
          patchView(room.id, { room: saved });
          refreshLists(client);
          onClose();
        }}
      />
    </Dialog>
  );
}
