// What one can do with a room: mute it for oneself, leave; for admins change and delete it.
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useNavigate } from "react-router";
import { api } from "@/lib/api";
import type { RoomOut } from "@/lib/types";
import { Confirm } from "@/ui/confirm";
import { Menu, type MenuEntry } from "@/ui/menu";
import { toast } from "@/ui/toast";
import { refreshLists } from "../model/list-cache";
import { useHere } from "../model/room-context";
import { forgetView } from "../model/store";
import { ChangeRoom } from "./change-room";

interface RoomMenuProps {
  room: RoomOut;
  isMuted: boolean;
  onMuted: (isMuted: boolean) => void;
}

export function RoomMenu({ room, isMuted, onMuted }: RoomMenuProps) {
  const { id, me, session } = useHere();
  const client = useQueryClient();
  const navigate = useNavigate();
  const [asked, setAsked] = useState<"change" | "leave" | "delete" | null>(null);
  const close = () => setAsked(null);
  const failed = (error: Error) => toast(`Not done. ${error.message}`);
  const mute = () => {
    onMuted(!isMuted);
    api
      .changeMember(id, me, { is_muted: !isMuted })
      .then(() => refreshLists(client))
      .catch((error: Error) => {
        onMuted(isMuted);
        failed(error);
      });
  };
  /** The socket is closed first: it would say that one was put out. */
  const go = (call: () => Promise<void>, words: string) => () => {
    session.close();
    call()
      .then(() => {
        navigate("/rooms");
        forgetView(id);
        refreshLists(client);
        toast(words);
      })
      .catch((error: Error) => {
        failed(error);
        void session.open();
      });
  };
  const entries: MenuEntry[] = [
    { label: isMuted ? "Unmute" : "Mute", run: mute },
    ...(room.is_admin ? [{ label: "Name and topic", run: () => setAsked("change") }] : []),
    { label: "Leave", run: () => setAsked("leave") },
    ...(room.is_admin ? [{ label: "Delete", run: () => setAsked("delete"), danger: true }] : []),
  ];
  return (
    <>
      <Menu label={`More for ${room.name}`} entries={entries} className="min-h-9 min-w-9" />
      <ChangeRoom open={asked === "change"} room={room} onClose={close} />
      <Confirm
        open={asked === "leave"}
        title={`Leave ${room.name}?`}
        label="Leave"
        onClose={close}
        onConfirm={go(() => api.leaveRoom(id), `You left ${room.name}.`)}
      >
        What you wrote stays. You may join again.
      </Confirm>
      <Confirm
        open={asked === "delete"}
        title={`Delete ${room.name}?`}
        label="Delete"
        onClose={close}
        onConfirm={go(() => api.deleteRoom(id), `${room.name} was deleted.`)}
      >
        Everybody leaves it, and what was said there is gone from view. This cannot be undone.
      </Confirm>
    </>
  );
}
