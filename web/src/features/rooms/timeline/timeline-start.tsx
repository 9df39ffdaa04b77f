// The start of a room's timeline: loads earlier messages, and shows the room's name and topic above the first one.
import { useEffect, useRef } from "react";
import { Button } from "@/ui/button";
import { useCurrentRoom, useRoomContext } from "../model/room-context";

/** Loads earlier messages when their place comes near the view. */
export function EarlierMessages() {
  const { session } = useRoomContext();
  const earlier = useCurrentRoom((view) => view.earlier);
  const anchor = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!anchor.current || earlier !== "more") return;
    const observer = new IntersectionObserver(
      ([entry]) => entry?.isIntersecting && void session.loadEarlier(),
      { rootMargin: "300px 0px 0px 0px" },
    );
    observer.observe(anchor.current);
    return () => observer.disconnect();
  }, [earlier, session]);
  if (earlier === "none") return null;
  return (
    <div ref={anchor} className="mb-3 text-center">
      <Button
        weight="quiet"
        disabled={earlier === "loading"}
        onClick={() => void session.loadEarlier()}
      >
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
      <p className="text-[17px] font-[620] break-words">{room.name}</p>
      <p className="text-[14px] text-dim break-words">
        {room.topic || "This is where the room begins."}
      </p>
    </div>
  );
}
