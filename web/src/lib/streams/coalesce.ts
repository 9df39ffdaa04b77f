// Joins the small pieces of a growing text into one update every 50 ms. A timer does it, because animation frames stop
// in hidden tabs.
const COALESCE_MS = 50;

export interface Coalesced {
  add: (piece: string) => void;
  /** Pass the waiting pieces on at once. */
  flush: () => void;
  /** Drop the waiting pieces. */
  reset: () => void;
}

export function coalesced(onText: (text: string) => void): Coalesced {
  let waiting = "";
  let timer: ReturnType<typeof setTimeout> | undefined;
  const reset = () => {
    clearTimeout(timer);
    timer = undefined;
    waiting = "";
  };
  const flush = () => {
    const text = waiting;
    reset();
    if (text !== "") onText(text);
  };
  const add = (piece: string) => {
    waiting += piece;
    timer ??= setTimeout(flush, COALESCE_MS);
  };
  return { add, flush, reset };
}
