// Where the reader is in the transcript. The view follows its growing end until the reader scrolls up, by
// whatever means, and again once they are back at the end. Nothing else moves it.
import { type RefObject, useCallback, useEffect, useLayoutEffect, useMemo, useRef } from "react";

const UP_KEYS = ["ArrowUp", "PageUp", "Home"];

export interface Reading {
  box: RefObject<HTMLDivElement | null>;
  content: RefObject<HTMLDivElement | null>;
  /** Leads to the end and follows it. */
  toEnd: () => void;
  /** Stays here, whatever grows. */
  hold: () => void;
}

const distance = (box: HTMLElement): number => box.scrollHeight - box.clientHeight - box.scrollTop;

/** Calls `up` for what means to scroll up before anything moves, so that a growing text cannot win. */
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
 * `chat` and `last`, the key of its last exchange, tell another chat, which begins at its end, from one that
 * only got its name; `asked` is the key of the turn asked here, which is always brought into view.
 */
export function useReading(chat: string, last: string | undefined, asked?: string): Reading {
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
    // Runs when the layout of a frame is done and before it is painted: costs no layout of its own.
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
    if (asked) toEnd();
  }, [asked, toEnd]);
  return useMemo(() => ({ box, content, toEnd, hold }), [toEnd, hold]);
}
