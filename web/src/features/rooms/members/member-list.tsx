// The members of a room: who is here now and who is away, with their roles. Admins can silence and remove them.
import { useState } from "react";
import { api } from "@/lib/api/client";
import type { RoomMember } from "@/lib/api/types";
import { Confirm } from "@/ui/confirm";
import { Menu, type MenuEntry } from "@/ui/menu";
import { useCurrentRoom, useMembers, useRoomContext } from "../model/room-context";
import { RemovedPeople, toastFailure, useMemberRemoval } from "./removed-people";

interface PersonProps {
  member: RoomMember;
  isHere: boolean;
  entries: MenuEntry[];
}

function Person({ member, isHere, entries }: PersonProps) {
  const { me } = useRoomContext();
  const notes = [
    member.user_id === me ? "you" : "",
    member.role === "admin" ? "admin" : "",
    member.is_silenced ? "silenced" : "",
  ].filter(Boolean);
  return (
    <li className="flex min-h-8 items-center gap-2.5 pe-2 ps-4">
      <span className="presence-dot" data-here={isHere} aria-hidden="true" />
      <span dir="auto" className={`min-w-0 truncate ${isHere ? "" : "text-dim"}`}>
        {member.name}
      </span>
      <span className="flex-1 text-[13px] text-dim">{notes.join(" · ")}</span>
      {entries.length > 0 && <Menu label={`More for ${member.name}`} entries={entries} />}
    </li>
  );
}

function useAdminEntries(onRemove: (member: RoomMember) => void) {
  const { id, me } = useRoomContext();
  const room = useCurrentRoom((view) => view.room);
  return (member: RoomMember): MenuEntry[] => {
    if (!room?.is_admin || member.user_id === me || member.user_id === room.created_by) return [];
    const silence = (is_silenced: boolean) => () => {
      api.updateRoomMember(id, member.user_id, { is_silenced }).catch(toastFailure);
    };
    return [
      member.is_silenced
        ? { label: "Allow to write", run: silence(false) }
        : { label: "Silence", run: silence(true) },
      { label: "Remove", run: () => onRemove(member), danger: true },
    ];
  };
}

function Tutor() {
  const isAnswering = useCurrentRoom((view) => Boolean(view.state?.running));
  return (
    <li className="flex min-h-8 items-center gap-2.5 pe-2 ps-4">
      <span className="presence-dot" data-here="true" aria-hidden="true" />
      <span>Tutor</span>
      <span className="ai-tag">AI</span>
      {isAnswering && <span className="text-[13px] text-dim">answering</span>}
    </li>
  );
}

export function MemberList() {
  const members = useMembers();
  const presentIds = useCurrentRoom((view) => view.presentIds);
  const [removing, setRemoving] = useState<RoomMember | null>(null);
  const entriesOf = useAdminEntries(setRemoving);
  const { remove } = useMemberRemoval();
  const here = members.filter(({ user_id }) => presentIds.includes(user_id));
  const away = members.filter(({ user_id }) => !presentIds.includes(user_id));
  const list = (people: RoomMember[], isHere: boolean) =>
    people.map((member) => (
      <Person key={member.user_id} member={member} isHere={isHere} entries={entriesOf(member)} />
    ));
  return (
    <div className="pt-3 pb-4 text-[14px]">
      <h2 className="meta px-4 pb-1 font-semibold">Here now · {here.length + 1}</h2>
      <ul>
        {list(here, true)}
        <Tutor />
      </ul>
      {away.length > 0 && (
        <>
          <h2 className="meta px-4 pt-4 pb-1 font-semibold">Away · {away.length}</h2>
          <ul>{list(away, false)}</ul>
        </>
      )}
      <RemovedPeople />
      <Confirm
        open={removing !== null}
        title={`Remove ${removing?.name ?? ""} from the room?`}
        label="Remove"
        onClose={() => setRemoving(null)}
        onConfirm={() => removing && remove(removing)}
      >
        They can no longer read or write here. To join again, they need an admin to let them back
        in.
      </Confirm>
    </div>
  );
}
