// Whom admins put out of a room, for its admins, who may let them in again.
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { api } from "@/lib/api";
import type { RoomMember } from "@/lib/types";
import { toast } from "@/ui/toast";
import { useHere, useRoomHere } from "../model/room-context";

const removedKey = (roomId: string) => ["rooms", "removed", roomId];

export const failed = (error: Error): void => toast(`Not done. ${error.message}`);

/** Puts somebody out, and lets somebody in again; the list follows. */
export function useRemoving() {
  const { id } = useHere();
  const client = useQueryClient();
  const refresh = () => void client.invalidateQueries({ queryKey: removedKey(id) });
  const letIn = (member: RoomMember) => {
    api
      .changeMember(id, member.user_id, { is_removed: false })
      .then(() => toast(`${member.name} may join again.`))
      .catch(failed)
      .finally(refresh);
  };
  const putOut = (member: RoomMember) => {
    const again = { label: "Let in again", run: () => letIn(member) };
    api
      .putOut(id, member.user_id)
      .then(() => toast(`${member.name} was put out.`, again))
      .catch(failed)
      .finally(refresh);
  };
  return { letIn, putOut };
}

export function Removed() {
  const { id } = useHere();
  const isAdmin = useRoomHere((view) => view.room?.is_admin ?? false);
  const { data } = useQuery({
    queryKey: removedKey(id),
    queryFn: async ({ signal }) => (await api.readRoom(id, signal)).removed,
    enabled: isAdmin,
  });
  const { letIn } = useRemoving();
  if (!isAdmin || !data?.length) return null;
  return (
    <>
      <h2 className="meta px-4 pt-4 pb-1 font-semibold">Put out · {data.length}</h2>
      <ul>
        {data.map((member) => (
          <li key={member.user_id} className="flex min-h-8 items-center gap-2.5 pr-2 pl-4">
            <span className="presence-dot" data-here="false" aria-hidden="true" />
            <span className="min-w-0 flex-1 truncate text-dim">{member.name}</span>
            <button
              type="button"
              className="text-button"
              aria-label={`Let ${member.name} in again`}
              onClick={() => letIn(member)}
            >
              Let in
            </button>
          </li>
        ))}
      </ul>
    </>
  );
}
