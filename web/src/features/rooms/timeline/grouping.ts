// How messages stand in the timeline: under a day, in groups of one author within a few minutes, and with one
// line where the unread ones begin. Pure.
import { daysBetween } from "@/lib/time";
import type { RoomMessage } from "@/lib/types";

const TOGETHER_MS = 5 * 60_000;

export interface Line {
  message: RoomMessage;
  /** The first of its day: `created_at`, else null. */
  day: string | null;
  /** The unread begin here. */
  isNew: boolean;
  /** Has its author's name above. */
  isHead: boolean;
}

const authorOf = (message: RoomMessage): string => (message.is_agent ? "agent" : message.name);

export function isTogether(before: RoomMessage, message: RoomMessage): boolean {
  const apart = Date.parse(message.created_at) - Date.parse(before.created_at);
  return (
    !message.is_agent &&
    !before.is_agent &&
    before.user_id === message.user_id &&
    authorOf(before) === authorOf(message) &&
    apart < TOGETHER_MS
  );
}

const isOtherDay = (before: RoomMessage, message: RoomMessage): boolean =>
  daysBetween(Date.parse(before.created_at), Date.parse(message.created_at)) !== 0;

/** `newId`: the message that the line of the unread stands above. */
export function linesOf(messages: RoomMessage[], newId: string | null): Line[] {
  return messages.map((message, index) => {
    const before = messages[index - 1];
    const isFirst = !before || isOtherDay(before, message);
    const isNew = message.id === newId;
    return {
      message,
      day: isFirst ? message.created_at : null,
      isNew,
      isHead: isFirst || isNew || !isTogether(before, message),
    };
  });
}

const weekday = new Intl.DateTimeFormat("en-GB", {
  weekday: "long",
  day: "numeric",
  month: "long",
});

export function dayName(at: string, now = Date.now()): string {
  const days = daysBetween(Date.parse(at), now);
  if (days === 0) return "Today";
  if (days === 1) return "Yesterday";
  const sameYear = new Date(at).getFullYear() === new Date(now).getFullYear();
  return weekday.format(new Date(at)) + (sameYear ? "" : ` ${new Date(at).getFullYear()}`);
}
