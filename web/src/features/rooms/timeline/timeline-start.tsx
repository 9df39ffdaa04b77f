// The start of a room's timeline: loads earlier messages, and shows the room's name and topic above the first one.
import { useCallback } from "react";
import { Button } from "@/ui/button";
import { useNearView } from "@/ui/scroll/use-near-view";
import { useCurrentRoom, useRoomContext } from "../model/room-context";

/** Loads earlier messages when their place comes near the view. */
export function EarlierMessages() {
  const { session } = useRoomContext();
  const earlier = useCurrentRoom((view) => view.earlier);
  const load = useCallback(() => void session.loadEarlier(), [session]);
  const start = useNearView(earlier === "more", "300px 0px 0px 0px", load);
  if (earlier === "none") return null;
  return (
    <div ref={start} className="mb-3 text-center">
      <Button weight="quiet" disabled={earlier === "loading"} onClick={load}>
        {earlier === "loading" ? "Loading…" : "Show earlier messages"}
      </Button>
    </div>
  );
}

export function RoomBeginning() {
  const room = useCurrentRoom((view) => view.room);
  const earlier = useCurrentRoom((view) => view.earlier);
  if (!room || earlier !== "none") return null;
  return (
    <div className="pb-2">
      <p dir="auto" className="text-[17px] font-[620] break-words">
        {room.name}
      </p>
      <p dir="auto" className="text-[14px] text-dim break-words">
        {room.topic || "This is where the room begins."}
      </p>
    </div>
  );
}
