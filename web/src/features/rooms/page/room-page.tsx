// /rooms/:id: the room for its members, Join for everybody else, and a notice if there is no such room.
import { useParams } from "react-router";
import { usePageTitle } from "@/lib/browser/page";
import { Failure, Skeleton, useDelayed } from "@/ui/states";
import { RoomsColumn } from "../list/rooms-column";
import { type RoomContext, RoomContextProvider, useRoomSession } from "../model/room-context";
import { useRoomStore, useRoomView } from "../model/store";
import { JoinRoom, MissingRoom } from "./join-room";
import { JoinedRoom } from "./joined-room";

function Announcements() {
  const announcement = useRoomStore((state) => state.announcement);
  return (
    <p role="status" aria-live="polite" className="sr-only">
      {announcement}
    </p>
  );
}

function Loading() {
  const slow = useDelayed(true);
  return (
    <div aria-hidden="true" className="min-w-0 flex-1 px-4 pt-4 md:px-7">
      {slow && (
        <>
          <Skeleton className="h-5 w-40" />
          <Skeleton className="mt-8 h-16 w-full max-w-[60ch]" />
          <Skeleton className="mt-4 h-10 w-full max-w-[48ch]" />
          <Skeleton className="mt-4 h-20 w-full max-w-[60ch]" />
        </>
      )}
    </div>
  );
}

function Content({ room }: { room: RoomContext }) {
  const phase = useRoomView(room.id, (view) => view.phase);
  const error = useRoomView(room.id, (view) => view.error);
  if (phase === "joined") return <JoinedRoom />;
  if (phase === "not-joined") return <JoinRoom />;
  if (phase === "missing") return <MissingRoom />;
  if (phase === "loading") return <Loading />;
  return (
    <div className="scroller min-w-0 flex-1">
      <Failure
        heading="h1"
        title="The room could not be loaded"
        error={error}
        onRetry={room.reopen}
      />
    </div>
  );
}

function Room({ id }: { id: string }) {
  const room = useRoomSession(id);
  const name = useRoomView(id, (view) => view.room?.name);
  usePageTitle(name ?? "Room");
  return room ? (
    <RoomContextProvider value={room}>
      <Content room={room} />
    </RoomContextProvider>
  ) : (
    <Loading />
  );
}

export default function RoomPage() {
  const { id = "" } = useParams();
  return (
    <div className="flex h-full min-h-0">
      <RoomsColumn current={id} />
      <Room key={id} id={id} />
      <Announcements />
    </div>
  );
}
