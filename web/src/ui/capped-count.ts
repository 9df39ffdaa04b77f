// Writes counts of unread messages: exact below 100, then "99+".
const MAX_COUNT = 100;

export const cappedCount = (count: number): string => (count >= MAX_COUNT ? "99+" : String(count));

/** Return "1 mention" or "99+ mentions", for screen readers. */
export const mentionWords = (count: number): string =>
  count === 1 ? "1 mention" : `${cappedCount(count)} mentions`;
