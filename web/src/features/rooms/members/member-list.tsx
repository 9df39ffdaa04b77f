// The people of a room: who is here now and who is away, with their roles; for admins what they may do.
import { useState } from "react";
import { api } from "@/lib/api";
import type { RoomMember } from "@/lib/types";
import { Confirm } from "@/ui/confirm";
import { Menu, type MenuEntry } from "@/ui/menu";
import { useHere, useMembers, useRoomHere } from "../model/room-context";
import { failed, Removed, useRemoving } from "./removed-people";

interface PersonProps {
  member: RoomMember;
  isHere: boolean;
  entries: MenuEntry[];
}

function Person({ member, isHere, entries }: PersonProps) {
  const { me } = useHere();
  const notes = [
    member.user_id === me ? "you" : "",
    member.role === "admin" ? "admin" : "",
    member.is_silenced ? "silenced" : "",
  ].filter(Boolean);
  return (
    <li className="flex min-h-8 items-center gap-2.5 pr-2 pl-4">
      <span className="presence-dot" data-here={isHere} aria-hidden="true" />
      <span className={`min-w-0 truncate ${isHere ? "" : "text-dim"}`}>{member.name}</span>
      <span className="flex-1 text-[13px] text-dim">{notes.join(" · ")}</span>
      {entries.length > 0 && <Menu label={`More for ${member.name}`} entries={entries} />}
    </li>
  );
}

function useAdminEntries(onPutOut: (member: RoomMember) => void) {
  const { id, me } = useHere();
  const room = useRoomHere((view) => view.room);
  return (member: RoomMember): MenuEntry[] => {
    if (!room?.is_admin || member.user_id === me || member.user_id === room.created_by) return [];
    const silence = (is_silenced: boolean) => () => {
      api.changeMember(id, member.user_id, { is_silenced }).catch(failed);
    };
    return [
      member.is_silenced
        ? { label: "Let speak", run: silence(false) }
        : { label: "Silence", run: silence(true) },
      { label: "Put out", run: () => onPutOut(member), danger: true },
    ];
  };
}

function Tutor() {
  const isAnswering = useRoomHere((view) => Boolean(view.state?.running));
  return (
    <li className="flex min-h-8 items-center gap-2.5 pr-2 pl-4">
      <span className="presence-dot" data-here="true" aria-hidden="true" />
      <span>Tutor</span>
      <span className="ai-tag">AI</span>
      {isAnswering && <span className="text-[13px] text-dim">answering</span>}
    </li>
  );
}

export function Members() {
  const members = useMembers();
  const present = useRoomHere((view) => view.present);
  const [asked, setAsked] = useState<RoomMember | null>(null);
  const entriesOf = useAdminEntries(setAsked);
  const { putOut } = useRemoving();
  const here = members.filter(({ user_id }) => present.includes(user_id));
  const away = members.filter(({ user_id }) => !present.includes(user_id));
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
      <Removed />
      <Confirm
        open={asked !== null}
        title={`Put ${asked?.name ?? ""} out of the room?`}
        label="Put out"
        onClose={() => setAsked(null)}
        onConfirm={() => asked && putOut(asked)}
      >
        They cannot read or write here any more, nor join again until an admin lets them in.
      </Confirm>
    </div>
  );
}
