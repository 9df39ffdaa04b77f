// Formats times for people. Input is an RFC 3339 string; an unreadable string becomes an empty text.
const day = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });
const dayAndYear = new Intl.DateTimeFormat("en-GB", {
  day: "numeric",
  month: "short",
  year: "numeric",
});
const exact = new Intl.DateTimeFormat("en-GB", { dateStyle: "full", timeStyle: "medium" });
const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });

const startOfDay = (at: number): number => new Date(at).setHours(0, 0, 0, 0);

/** Return the whole days between two moments in the calendar of the reader. */
export function daysBetween(from: number, to: number): number {
  return Math.round((startOfDay(to) - startOfDay(from)) / 86_400_000);
}

/** Return a time as people say it, such as "4 min ago" or "yesterday". */
export function relativeTime(at: string, now = Date.now()): string {
  const time = Date.parse(at);
  if (Number.isNaN(time)) return "";
  const seconds = Math.round((now - time) / 1_000);
  if (seconds < 45) return "just now";
  if (seconds < 3_570) return `${Math.max(1, Math.round(seconds / 60))} min ago`;
  const days = daysBetween(time, now);
  if (days === 0 || seconds < 6 * 3_600) return `${Math.round(seconds / 3_600)} h ago`;
  if (days === 1) return "yesterday";
  if (days < 7) return `${days} days ago`;
  const sameYear = new Date(time).getFullYear() === new Date(now).getFullYear();
  return (sameYear ? day : dayAndYear).format(time);
}

export function exactTime(at: string): string {
  const time = Date.parse(at);
  return Number.isNaN(time) ? "" : exact.format(time);
}

export function clockTime(at: string): string {
  const time = Date.parse(at);
  return Number.isNaN(time) ? "" : clock.format(time);
}

/** Return the heading under which a history groups a moment. */
export function dayGroup(at: string, now = Date.now()): string {
  const days = daysBetween(Date.parse(at), now);
  if (days <= 0) return "Today";
  if (days === 1) return "Yesterday";
  if (days < 7) return "Last 7 days";
  if (days < 30) return "Last 30 days";
  return "Older";
}
