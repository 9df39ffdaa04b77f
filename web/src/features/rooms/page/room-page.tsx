// /rooms/:id: the room for who is in it, the way in for who is not, and a clear word where there is none.
import { useParams } from "react-router";
import { usePageTitle } from "@/lib/page";
import { Failure, Skeleton, useDelayed } from "@/ui/states";
import { RoomsColumn } from "../list/rooms-column";
import { type Here, HereProvider, useSession } from "../model/room-context";
import { useRoom, useRooms } from "../model/store";
import { MissingRoom, Outside } from "./join-room";
import { Inside } from "./joined-room";

function StatusRegion() {
  const announcement = useRooms((state) => state.announcement);
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

function Content({ here }: { here: Here }) {
  const phase = useRoom(here.id, (view) => view.phase);
  const error = useRoom(here.id, (view) => view.error);
  if (phase === "open") return <Inside />;
  if (phase === "outside") return <Outside />;
  if (phase === "missing") return <MissingRoom />;
  if (phase === "loading") return <Loading />;
  return (
    <div className="flex-1">
      <Failure
        heading="h1"
        title="The room could not be loaded"
        error={error}
        onRetry={here.reopen}
      />
    </div>
  );
}

function Room({ id }: { id: string }) {
  const here = useSession(id);
  const name = useRoom(id, (view) => view.room?.name);
  usePageTitle(name ?? "Room");
  return here ? (
    <HereProvider value={here}>
      <Content here={here} />
    </HereProvider>
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
      <StatusRegion />
    </div>
  );
}
