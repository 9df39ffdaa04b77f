// Pieces of a room's timeline: its beginning and what comes before, the line of the unread and opening there.
import { useEffect, useLayoutEffect, useRef } from "react";
import { clockTime, daysBetween } from "@/lib/time";
import type { RoomMessage } from "@/lib/types";
import { Button } from "@/ui/button";
import type { Reading } from "@/ui/use-reading";
import { useHere, useRoomHere } from "../model/room-context";
import { dayName } from "./grouping";

/** "New since 14:01", the time of what was read last. */
export function NewRule({ before }: { before: RoomMessage | undefined }) {
  const at = before?.created_at;
  const isToday = at !== undefined && daysBetween(Date.parse(at), Date.now()) === 0;
  const since = at && (isToday ? clockTime(at) : dayName(at).toLowerCase());
  return (
    <p id="room-new" className="rule rule-new mt-4 mb-1">
      {since ? `New since ${since}` : "New"}
    </p>
  );
}

/** Reads what was said earlier as soon as its place comes near. */
export function Earlier() {
  const { session } = useHere();
  const earlier = useRoomHere((view) => view.earlier);
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!place.current || earlier !== "more") return;
    const observer = new IntersectionObserver(
      ([entry]) => entry?.isIntersecting && void session.loadEarlier(),
      { rootMargin: "300px 0px 0px 0px" },
    );
    observer.observe(place.current);
    return () => observer.disconnect();
  }, [earlier, session]);
  if (earlier === "none") return null;
  return (
    <div ref={place} className="mb-3 text-center">
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

export function Beginning() {
  const room = useRoomHere((view) => view.room);
  const earlier = useRoomHere((view) => view.earlier);
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

/** Opens at the line of the unread, where there is one: once the messages above are drawn. */
export function Opening({ reading }: { reading: Reading }) {
  const { hold, toEnd, box } = reading;
  useLayoutEffect(() => {
    const line = document.getElementById("room-new");
    if (!line || !box.current) return;
    hold();
    line.scrollIntoView({ block: "center" });
    const { scrollHeight, clientHeight, scrollTop } = box.current;
    if (scrollHeight - clientHeight - scrollTop < 2) toEnd();
  }, [hold, toEnd, box]);
  return null;
}
