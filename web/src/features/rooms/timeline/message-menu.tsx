// What one can do with a message: copy it; edit one's own; delete one's own, or as an admin anybody's.
import { useState } from "react";
import { api } from "@/lib/api";
import { clockTime } from "@/lib/time";
import type { RoomMessage } from "@/lib/types";
import { Confirm } from "@/ui/confirm";
import { copyText } from "@/ui/copy-button";
import { Menu, type MenuEntry } from "@/ui/menu";
import { toast } from "@/ui/toast";
import { useHere, useOwn, useRoomHere } from "../model/room-context";

interface MessageMenuProps {
  message: RoomMessage;
  onEdit: (id: string) => void;
}

function copy(text: string): void {
  copyText(text).then(
    () => toast("Copied."),
    () => toast("The browser does not allow to copy."),
  );
}

export function MessageMenu({ message, onEdit }: MessageMenuProps) {
  const { id, me } = useHere();
  const isAdmin = useRoomHere((view) => view.room?.is_admin ?? false);
  const isSilenced = useOwn()?.is_silenced ?? false;
  const [isAsked, setAsked] = useState(false);
  const isOwn = message.user_id === me && !isSilenced;
  const remove = () => {
    api
      .deleteRoomMessage(id, message.id)
      .catch((error: Error) => toast(`Not deleted. ${error.message}`));
  };
  const entries: MenuEntry[] = [
    { label: "Copy", run: () => copy(message.content) },
    ...(isOwn ? [{ label: "Edit", run: () => onEdit(message.id) }] : []),
    ...(isOwn || isAdmin ? [{ label: "Delete", run: () => setAsked(true), danger: true }] : []),
  ];
  return (
    <>
      <Menu
        label={`More for the message of ${message.name}, ${clockTime(message.created_at)}`}
        entries={entries}
        className="room-menu"
      />
      {isAsked && (
        <Confirm
          open
          title="Delete this message?"
          label="Delete"
          onClose={() => setAsked(false)}
          onConfirm={remove}
        >
          Its text is gone for everybody, and cannot be brought back. That there was one stays.
        </Confirm>
      )}
    </>
  );
}
