// The room that a page shows, offered to its parts. Its session lives as long as the page and the identity do.
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { createContext, useCallback, useContext, useEffect, useMemo, useState } from "react";
import { meQuery } from "@/lib/api/queries";
import type { RoomMember } from "@/lib/api/types";
import { RoomSession } from "./session";
import { type RoomView, updateView, useRoomView } from "./store";

export interface RoomContext {
  id: string;
  me: string;
  session: RoomSession;
  /** Start the session again: after joining, signing in, or a failure. */
  reopen: () => void;
  /** Edit this message in its place; null ends editing. */
  onEdit: (messageId: string | null) => void;
}

const Context = createContext<RoomContext | null>(null);
export const RoomContextProvider = Context.Provider;

export function useRoomContext(): RoomContext {
  const room = useContext(Context);
  if (!room) throw new Error("useRoomContext needs a RoomContextProvider above it");
  return room;
}

/** Return one part of the view of the room shown. */
export function useCurrentRoom<T>(select: (view: RoomView) => T): T {
  return useRoomView(useRoomContext().id, select);
}

const NO_MEMBERS: RoomMember[] = [];

export const useMembers = (): RoomMember[] =>
  useCurrentRoom((view) => view.state?.members ?? NO_MEMBERS);

/** Return the user's own membership, as everybody sees it. */
export function useMyMembership(): RoomMember | undefined {
  const { me } = useRoomContext();
  return useMembers().find(({ user_id }) => user_id === me);
}

/** Open a session with the room. Returns null until the user is known. */
export function useRoomSession(id: string): RoomContext | null {
  const client = useQueryClient();
  const { data } = useQuery(meQuery);
  const me = data && (data.id ?? "");
  const name = data?.name;
  const [session, setSession] = useState<RoomSession | null>(null);
  const [opening, setOpening] = useState(0);
  const reopen = useCallback(() => setOpening((now) => now + 1), []);
  const onEdit = useCallback((editingId: string | null) => updateView(id, { editingId }), [id]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new `opening` or a new name starts another session
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
