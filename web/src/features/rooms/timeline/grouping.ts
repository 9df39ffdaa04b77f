// How messages are arranged in the timeline: under a day, in groups of one author within a few minutes, and with one
// line where the new ones begin. Pure.

import type { RoomMessage } from "@/lib/api/types";
import { daysBetween } from "@/lib/text/time";

const MAX_GROUP_GAP_MS = 5 * 60_000;

export interface Line {
  message: RoomMessage;
  /** `created_at` of the first message of a day, else null. */
  day: string | null;
  /** The new messages begin here. */
  isNew: boolean;
  /** The first of its group, with its author's name above. */
  isHead: boolean;
}

const authorOf = (message: RoomMessage): string => (message.is_agent ? "agent" : message.name);

export function isSameGroup(before: RoomMessage, message: RoomMessage): boolean {
  const gapMs = Date.parse(message.created_at) - Date.parse(before.created_at);
  return (
    !message.is_agent &&
    !before.is_agent &&
    before.user_id === message.user_id &&
    authorOf(before) === authorOf(message) &&
    gapMs < MAX_GROUP_GAP_MS
  );
}

const isOtherDay = (before: RoomMessage, message: RoomMessage): boolean =>
  daysBetween(Date.parse(before.created_at), Date.parse(message.created_at)) !== 0;

/** Arrange messages into lines. `newId` is the first new message, if there is one. */
export function linesOf(messages: RoomMessage[], newId: string | null): Line[] {
  return messages.map((message, index) => {
    const before = messages[index - 1];
    const isFirst = !before || isOtherDay(before, message);
    const isNew = message.id === newId;
    return {
      message,
      day: isFirst ? message.created_at : null,
      isNew,
      isHead: isFirst || isNew || !isSameGroup(before, message),
    };
  });
}

const dayFormat = new Intl.DateTimeFormat("en-GB", {
  weekday: "long",
  day: "numeric",
  month: "long",
});

/** Return "Today", "Yesterday", or the date with its weekday. */
export function dayName(at: string, now = Date.now()): string {
  const days = daysBetween(Date.parse(at), now);
  if (days === 0) return "Today";
  if (days === 1) return "Yesterday";
  const sameYear = new Date(at).getFullYear() === new Date(now).getFullYear();
  return dayFormat.format(new Date(at)) + (sameYear ? "" : ` ${new Date(at).getFullYear()}`);
}
