// The room that a page shows, for its parts: its session lives as long as the page and the identity do.
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { createContext, useCallback, useContext, useEffect, useMemo, useState } from "react";
import { meQuery } from "@/lib/queries";
import type { RoomMember } from "@/lib/types";
import { RoomSession } from "./session";
import { patchView, type RoomView, useRoom } from "./store";

export interface Here {
  id: string;
  me: string;
  session: RoomSession;
  /** Begins anew: after joining, signing in, or a failure. */
  reopen: () => void;
  /** Edits this message in its place; null: none. */
  onEdit: (messageId: string | null) => void;
}

const Context = createContext<Here | null>(null);
export const HereProvider = Context.Provider;

export function useHere(): Here {
  const here = useContext(Context);
  if (!here) throw new Error("a part of a room is shown in a room");
  return here;
}

/** One part of what is known of the room shown. */
export function useRoomHere<T>(select: (view: RoomView) => T): T {
  return useRoom(useHere().id, select);
}

const NOBODY: RoomMember[] = [];

export const useMembers = (): RoomMember[] => useRoomHere((view) => view.state?.members ?? NOBODY);

/** One's own membership, as everybody sees it. */
export function useOwn(): RoomMember | undefined {
  const { me } = useHere();
  return useMembers().find(({ user_id }) => user_id === me);
}

/** Null until it is known who one is. */
export function useSession(id: string): Here | null {
  const client = useQueryClient();
  const { data } = useQuery(meQuery);
  const me = data && (data.id ?? "");
  const name = data?.name;
  const [session, setSession] = useState<RoomSession | null>(null);
  const [opening, setOpening] = useState(0);
  const reopen = useCallback(() => setOpening((now) => now + 1), []);
  const onEdit = useCallback((editing: string | null) => patchView(id, { editing }), [id]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: `opening` begins anew, and so does a new name, for the room to hear of it
  useEffect(() => {
    if (me === undefined) return;
    const current = new RoomSession(id, me || null, client);
    setSession(current);
    void current.open();
    return () => current.close();
  }, [id, me, name, client, opening]);
  return useMemo(
    () => (session && me !== undefined ? { id, me, session, reopen, onEdit } : null),
    [session, id, me, reopen, onEdit],
  );
}
