// The people whom admins removed from a room. Admins see the list and can let them back in.
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { api } from "@/lib/api/client";
import { sentenceOf } from "@/lib/api/problem";
import type { RoomMember } from "@/lib/api/types";
import { toast } from "@/ui/toast";
import { useCurrentRoom, useRoomContext } from "../model/room-context";

const removedKey = (roomId: string) => ["rooms", "removed", roomId];

export const toastFailure = (error: unknown): void => {
  toast(`Could not change the member. ${sentenceOf(error)}`);
};

/** Return functions that remove a member and let one back in. Both refresh the list of removed people. */
export function useMemberRemoval() {
  const { id } = useRoomContext();
  const client = useQueryClient();
  const refresh = () => void client.invalidateQueries({ queryKey: removedKey(id) });
  const letBackIn = (member: RoomMember) => {
    api
      .updateRoomMember(id, member.user_id, { is_removed: false })
      .then(() => toast(`${member.name} can join again.`))
      .catch(toastFailure)
      .finally(refresh);
  };
  const remove = (member: RoomMember) => {
    const undo = { label: "Let back in", run: () => letBackIn(member) };
    api
      .removeRoomMember(id, member.user_id)
      .then(() => toast(`${member.name} was removed.`, undo))
      .catch(toastFailure)
      .finally(refresh);
  };
  return { letBackIn, remove };
}

export function RemovedPeople() {
  const { id } = useRoomContext();
  const isAdmin = useCurrentRoom((view) => view.room?.is_admin ?? false);
  const { data } = useQuery({
    queryKey: removedKey(id),
    queryFn: async ({ signal }) => (await api.readRoom(id, signal)).removed,
    enabled: isAdmin,
  });
  const { letBackIn } = useMemberRemoval();
  if (!isAdmin || !data?.length) return null;
  return (
    <>
      <h2 className="meta px-4 pt-4 pb-1 font-semibold">Removed · {data.length}</h2>
      <ul>
        {data.map((member) => (
          <li key={member.user_id} className="flex min-h-8 items-center gap-2.5 pe-2 ps-4">
            <span className="presence-dot" data-here="false" aria-hidden="true" />
            <span dir="auto" className="min-w-0 flex-1 truncate text-dim">
              {member.name}
            </span>
            <button
              type="button"
              className="text-button"
              aria-label={`Let ${member.name} back in`}
              onClick={() => letBackIn(member)}
            >
              Let back in
            </button>
          </li>
        ))}
      </ul>
    </>
  );
}
