// The actions on a room: mute and leave it; admins can change and delete it.
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useNavigate } from "react-router";
import { api } from "@/lib/api/client";
import { sentenceOf } from "@/lib/api/problem";
import type { RoomOut } from "@/lib/api/types";
import { Confirm } from "@/ui/confirm";
import { Dialog } from "@/ui/dialog";
import { Menu, type MenuEntry } from "@/ui/menu";
import { toast } from "@/ui/toast";
import { RoomForm } from "../list/room-form";
import { refreshLists } from "../model/list-cache";
import { useRoomContext } from "../model/room-context";
import { forgetView, updateView } from "../model/store";

interface RoomMenuProps {
  room: RoomOut;
  isMuted: boolean;
  onMuted: (isMuted: boolean) => void;
}

export function RoomMenu({ room, isMuted, onMuted }: RoomMenuProps) {
  const { id, me, session } = useRoomContext();
  const client = useQueryClient();
  const navigate = useNavigate();
  const [dialog, setDialog] = useState<"change" | "leave" | "delete" | null>(null);
  const close = () => setDialog(null);
  const toastFailure = (error: unknown) => toast(`Could not change the room. ${sentenceOf(error)}`);
  const mute = () => {
    onMuted(!isMuted);
    api
      .updateRoomMember(id, me, { is_muted: !isMuted })
      .then(() => refreshLists(client))
      .catch((error: unknown) => {
        onMuted(isMuted);
        toastFailure(error);
      });
  };
  /** Close the socket first: it would report that the user was removed. */
  const endWith = (call: () => Promise<void>, words: string) => () => {
    session.close();
    call()
      .then(() => {
        navigate("/rooms");
        forgetView(id);
        refreshLists(client);
        toast(words);
      })
      .catch((error: unknown) => {
        toastFailure(error);
        void session.open();
      });
  };
  const entries: MenuEntry[] = [
    { label: isMuted ? "Unmute" : "Mute", run: mute },
    ...(room.is_admin ? [{ label: "Change name and topic", run: () => setDialog("change") }] : []),
    { label: "Leave", run: () => setDialog("leave") },
    ...(room.is_admin ? [{ label: "Delete", run: () => setDialog("delete"), danger: true }] : []),
  ];
  return (
    <>
      <Menu label={`More for ${room.name}`} entries={entries} className="min-h-9 min-w-9" />
      <Dialog open={dialog === "change"} onClose={close} title="Name and topic">
        <RoomForm
          initial={room}
          label="Save"
          busyLabel="Saving…"
          save={(fields) => api.updateRoom(room.id, fields)}
          onSaved={(saved) => {
            updateView(room.id, { room: saved });
            refreshLists(client);
            close();
          }}
        />
      </Dialog>
      <Confirm
        open={dialog === "leave"}
        title={`Leave ${room.name}?`}
        label="Leave"
        onClose={close}
        onConfirm={endWith(() => api.leaveRoom(id), `You left ${room.name}.`)}
      >
        Your messages stay in the room. You can join again.
      </Confirm>
      <Confirm
        open={dialog === "delete"}
        title={`Delete ${room.name}?`}
        label="Delete"
        onClose={close}
        onConfirm={endWith(() => api.deleteRoom(id), `${room.name} was deleted.`)}
      >
        Everybody loses access to the room and its messages. This cannot be undone.
      </Confirm>
    </>
  );
}
