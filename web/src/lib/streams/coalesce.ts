// Joins the small pieces of a growing text to one update each 50 ms, by a timer, so that it works in hidden
// tabs too.
const COALESCE_MS = 50;

export interface Coalesced {
  add: (piece: string) => void;
  /** Passes on at once what waits. */
  flush: () => void;
  /** Forgets what waits. */
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
