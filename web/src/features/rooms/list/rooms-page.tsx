// /rooms: the user's own rooms and the others, most recently active first. `?ticket=` leads to the newest room about
// that ticket, or offers to create one.
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Plus } from "lucide-react";
import { type ReactNode, useCallback, useEffect, useState } from "react";
import { useNavigate, useSearchParams } from "react-router";
import { meQuery, roomsQuery, ticketRoomsQuery } from "@/lib/api/queries";
import type { RoomRow } from "@/lib/api/types";
import { useHotkeys } from "@/lib/browser/hotkeys";
import { askIdentity } from "@/lib/browser/identity";
import { usePageTitle } from "@/lib/browser/page";
import { Button } from "@/ui/button";
import { Kbd } from "@/ui/kbd";
import { Failure, Notice, Skeleton, useDelayed } from "@/ui/states";
import { useRequireName } from "../model/name-needed";
import { NewRoom } from "./new-room";
import { RoomListItem } from "./room-row";

function MyName() {
  const { data: me } = useQuery(meQuery);
  if (!me) return <p className="min-h-6" />;
  return (
    <p className="flex min-h-6 flex-wrap items-center gap-x-1 text-[14px] text-dim">
      {me.name ? (
        <span>
          You are <bdi className="font-[550] text-soft">{me.name}</bdi> here.
        </span>
      ) : (
        <span>You have no name yet.</span>
      )}
      <button type="button" className="text-button" onClick={() => void askIdentity("name")}>
        {me.name ? "Change name" : "Choose a name"}
      </button>
    </p>
  );
}

function Group({ name, rows }: { name: string; rows: RoomRow[] }) {
  if (rows.length === 0) return null;
  return (
    <section className="mt-5">
      <h2 className="meta px-4 pb-1 font-semibold md:px-3">{name}</h2>
      <ul className="border-t border-line">
        {rows.map((row) => (
          <RoomListItem key={row.id} row={row} />
        ))}
      </ul>
    </section>
  );
}

function RoomsSkeleton() {
  const slow = useDelayed(true);
  if (!slow) return null;
  return (
    <div aria-hidden="true" className="mt-6 grid gap-3 px-4 md:px-3">
      {[1, 2, 3, 4].map((at) => (
        <Skeleton key={at} className="h-12 w-full" />
      ))}
    </div>
  );
}

function RoomGroups({ onNew }: { onNew: () => void }): ReactNode {
  const list = useInfiniteQuery({ ...roomsQuery, refetchOnWindowFocus: "always" });
  const rows = list.data?.pages.flatMap((page) => page.data) ?? [];
  if (list.isPending) return <RoomsSkeleton />;
  if (!list.data) {
    return (
      <Failure
        title="The rooms could not be loaded"
        error={list.error}
        onRetry={() => void list.refetch()}
      />
    );
  }
  if (rows.length === 0) {
    return (
      <Notice
        title="No rooms yet"
        actions={
          <Button weight="primary" onClick={onNew}>
            Create room
          </Button>
        }
      >
        In a room people talk to each other. Write @tutor to ask the tutor.
      </Notice>
    );
  }
  return (
    <>
      <Group name="Your rooms" rows={rows.filter((row) => row.is_member)} />
      <Group name="Other rooms" rows={rows.filter((row) => !row.is_member)} />
      {list.hasNextPage && (
        <div className="mt-4 text-center">
          <Button disabled={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>
            {list.isFetchingNextPage ? "Loading…" : "Load more"}
          </Button>
        </div>
      )}
      <p className="meta mt-6 px-4 [@media(hover:none)]:hidden md:px-3">
        <Kbd>j</Kbd> <Kbd>k</Kbd> move · <Kbd>↵</Kbd> open
      </p>
    </>
  );
}

/** Go to the newest room about the ticket; call `onNone` if there is none. */
function useTicketRoom(ticketId: string | null, onNone: () => void) {
  const navigate = useNavigate();
  const rooms = useQuery({ ...ticketRoomsQuery(ticketId ?? ""), enabled: ticketId !== null });
  const room = rooms.data?.data[0];
  const isNone = rooms.isSuccess && !room;
  useEffect(() => {
    if (room) navigate(`/rooms/${room.id}`, { replace: true });
    else if (isNone || rooms.isError) onNone();
  }, [room, isNone, rooms.isError, navigate, onNone]);
}

/** Move between rooms with `j` and `k`. */
function useRoomCursor() {
  const move = (step: number) => () => {
    const links = [...document.querySelectorAll<HTMLElement>("[data-room]")];
    const at = links.findIndex((link) => link.matches(":focus"));
    links[at < 0 && step < 0 ? links.length - 1 : at + step]?.focus();
  };
  useHotkeys({ j: move(1), k: move(-1) });
}

export default function RoomsPage() {
  usePageTitle("Rooms");
  const [params, setParams] = useSearchParams();
  const ticketId = params.get("ticket");
  const [isCreating, setCreating] = useState(false);
  const requireName = useRequireName();
  const onNew = () => {
    void requireName().then((isNamed) => isNamed && setCreating(true));
  };
  const onNone = useCallback(() => setCreating(true), []);
  useTicketRoom(ticketId, onNone);
  useRoomCursor();
  const onClose = () => {
    setCreating(false);
    if (ticketId) setParams({}, { replace: true });
  };
  return (
    <div className="mx-auto max-w-[820px] pt-4 pb-16 md:px-6 md:pt-[22px]">
      <div className="flex flex-wrap items-center justify-between gap-x-4 gap-y-1 px-4 md:px-3">
        <h1 className="text-[22px] leading-tight font-[650] tracking-tight">Rooms</h1>
        <Button weight="primary" onClick={onNew}>
          <Plus size={15} aria-hidden="true" />
          New room
        </Button>
        <div className="basis-full">
          <MyName />
        </div>
      </div>
      <RoomGroups onNew={onNew} />
      <NewRoom open={isCreating} ticketId={ticketId} onClose={onClose} />
    </div>
  );
}
