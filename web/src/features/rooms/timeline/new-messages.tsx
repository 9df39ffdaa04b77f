// Where the new messages of a room begin: a line above the first one, and the timeline opens there.
import { useLayoutEffect } from "react";
import type { RoomMessage } from "@/lib/api/types";
import { clockTime, daysBetween } from "@/lib/text/time";
import type { Reading } from "@/ui/scroll/use-reading";
import { dayName } from "./grouping";

/** Shows "New since 14:01": the time of the message before. */
export function NewRule({ before }: { before: RoomMessage | undefined }) {
  const readAt = before?.created_at;
  const isToday = readAt !== undefined && daysBetween(Date.parse(readAt), Date.now()) === 0;
  const since = readAt && (isToday ? clockTime(readAt) : dayName(readAt).toLowerCase());
  return (
    <p id="room-new" className="rule rule-new mt-4 mb-1">
      {since ? `New since ${since}` : "New"}
    </p>
  );
}

/** Scrolls to the line above the new messages, if there is one, after the messages are drawn. */
export function OpenAtNew({ reading }: { reading: Reading }) {
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
