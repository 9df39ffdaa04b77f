// Follows the growing end of a transcript until the reader scrolls up by any means, and again once they return to the
// end. Nothing else moves the view.
import { type RefObject, useCallback, useEffect, useLayoutEffect, useMemo, useRef } from "react";

const UP_KEYS = ["ArrowUp", "PageUp", "Home"];

export interface Reading {
  box: RefObject<HTMLDivElement | null>;
  content: RefObject<HTMLDivElement | null>;
  /** Scroll to the end and follow it. */
  toEnd: () => void;
  /** Stop following the end. */
  hold: () => void;
}

const distance = (box: HTMLElement): number => box.scrollHeight - box.clientHeight - box.scrollTop;

/** Call `up` as soon as an input is meant to scroll up, before a growing text moves the view back. Returns the clean-up. */
function listenForUp(box: HTMLElement, up: () => void): () => void {
  let finger = 0;
  const onWheel = (event: WheelEvent) => {
    if (event.deltaY < 0 && !event.ctrlKey) up();
  };
  const onTouchStart = (event: TouchEvent) => {
    finger = event.touches[0]?.clientY ?? 0;
  };
  const onTouchMove = (event: TouchEvent) => {
    const now = event.touches[0]?.clientY ?? 0;
    if (now > finger) up();
    finger = now;
  };
  const onKey = (event: KeyboardEvent) => {
    if (UP_KEYS.includes(event.key) || (event.key === " " && event.shiftKey)) up();
  };
  box.addEventListener("wheel", onWheel, { passive: true });
  box.addEventListener("touchstart", onTouchStart, { passive: true });
  box.addEventListener("touchmove", onTouchMove, { passive: true });
  box.addEventListener("keydown", onKey);
  return () => {
    box.removeEventListener("wheel", onWheel);
    box.removeEventListener("touchstart", onTouchStart);
    box.removeEventListener("touchmove", onTouchMove);
    box.removeEventListener("keydown", onKey);
  };
}

/**
 * Keep the place of the reader in a chat. Another `chat` with another `last` exchange (its key) starts at its end; a new
 * chat that only received its id keeps its place. A new `turn` (the key of a question sent from this tab) is always
 * scrolled into view.
 */
export function useReading(chat: string, last: string | undefined, turn?: string): Reading {
  const box = useRef<HTMLDivElement>(null);
  const content = useRef<HTMLDivElement>(null);
  const following = useRef(true);
  const hold = useCallback(() => {
    following.current = false;
  }, []);
  const toEnd = useCallback(() => {
    following.current = true;
    if (box.current) box.current.scrollTop = box.current.scrollHeight;
  }, []);

  useEffect(() => {
    const node = box.current;
    if (!node || !content.current) return;
    let top = node.scrollTop;
    const onScroll = () => {
      const below = distance(node);
      if (node.scrollTop < top && below > 1) following.current = false;
      else if (node.scrollTop > top && below < 2) following.current = true;
      top = node.scrollTop;
    };
    // The observer runs between layout and paint of a frame, so it costs no additional layout.
    const observer = new ResizeObserver(() => {
      if (following.current) node.scrollTop = node.scrollHeight;
    });
    observer.observe(node);
    observer.observe(content.current);
    node.addEventListener("scroll", onScroll, { passive: true });
    const unlisten = listenForUp(node, hold);
    return () => {
      observer.disconnect();
      node.removeEventListener("scroll", onScroll);
      unlisten();
    };
  }, [hold]);

  const shown = useRef({ chat, last });
  useLayoutEffect(() => {
    const before = shown.current;
    shown.current = { chat, last };
    if (before.chat !== chat && (before.last !== last || !last)) toEnd();
  }, [chat, last, toEnd]);
  useLayoutEffect(() => {
    if (turn) toEnd();
  }, [turn, toEnd]);
  return useMemo(() => ({ box, content, toEnd, hold }), [toEnd, hold]);
}
