// The actions on a message: everybody can copy it, its author can edit and delete it, and an admin can delete it.
import { useState } from "react";
import { api } from "@/lib/api/client";
import { sentenceOf } from "@/lib/api/problem";
import type { RoomMessage } from "@/lib/api/types";
import { clockTime } from "@/lib/text/time";
import { Confirm } from "@/ui/confirm";
import { copyText } from "@/ui/copy-button";
import { Menu, type MenuEntry } from "@/ui/menu";
import { toast } from "@/ui/toast";
import { useCurrentRoom, useMyMembership, useRoomContext } from "../model/room-context";

interface MessageMenuProps {
  message: RoomMessage;
  onEdit: (id: string) => void;
}

function copy(text: string): void {
  copyText(text).then(
    () => toast("Copied."),
    () => toast("Your browser blocked copying."),
  );
}

export function MessageMenu({ message, onEdit }: MessageMenuProps) {
  const { id, me } = useRoomContext();
  const isAdmin = useCurrentRoom((view) => view.room?.is_admin ?? false);
  const isSilenced = useMyMembership()?.is_silenced ?? false;
  const [isConfirming, setConfirming] = useState(false);
  const canChange = message.user_id === me && !isSilenced;
  const remove = () => {
    api
      .deleteRoomMessage(id, message.id)
      .catch((error: unknown) => toast(`Could not delete the message. ${sentenceOf(error)}`));
  };
  const entries: MenuEntry[] = [
    { label: "Copy", run: () => copy(message.content) },
    ...(canChange ? [{ label: "Edit", run: () => onEdit(message.id) }] : []),
    ...(canChange || isAdmin
      ? [{ label: "Delete", run: () => setConfirming(true), danger: true }]
      : []),
  ];
  return (
    <>
      <Menu
        label={`More for the message of ${message.name}, ${clockTime(message.created_at)}`}
        entries={entries}
        className="room-menu"
      />
      {isConfirming && (
        <Confirm
          open
          title="Delete this message?"
          label="Delete"
          onClose={() => setConfirming(false)}
          onConfirm={remove}
        >
          Its text is deleted for everybody and cannot be restored. The room still shows that a
          message was deleted.
        </Confirm>
      )}
    </>
  );
}
