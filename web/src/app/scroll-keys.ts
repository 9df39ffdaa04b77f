// Scrolls the page by the keyboard. The window itself never scrolls, so keys pressed outside of what scrolls would do
// nothing: after a page has loaded, in the navigation, in a composer of one line. They are passed on to the page's main
// scroller, and the focus stays where it is.
import { type RefObject, useEffect } from "react";
import { isComposing, isEditable } from "@/lib/browser/hotkeys";

/** How far each key scrolls a box, as the browser's own scrolling does. */
const DISTANCES: Record<string, (box: HTMLElement, isShift: boolean) => number> = {
  PageDown: (box) => 0.875 * box.clientHeight,
  PageUp: (box) => -0.875 * box.clientHeight,
  " ": (box, isShift) => (isShift ? -0.875 : 0.875) * box.clientHeight,
  End: (box) => box.scrollHeight,
  Home: (box) => -box.scrollHeight,
  ArrowDown: () => 40,
  ArrowUp: () => -40,
};
const FIELD_KEYS = ["PageDown", "PageUp"];

function canScroll(element: Element): boolean {
  if (element.scrollHeight <= element.clientHeight) return false;
  return /^(?:auto|scroll)$/.test(getComputedStyle(element).overflowY);
}

/** Whether the browser scrolls something by itself when a key is pressed in the element. */
function scrollsByItself(element: Element): boolean {
  for (let box: Element | null = element; box; box = box.parentElement) {
    if (canScroll(box)) return true;
  }
  return false;
}

/** Whether the key means something else where it was pressed. */
function isUsed(event: KeyboardEvent, target: Element): boolean {
  if (event.defaultPrevented || isComposing(event)) return true;
  if (event.ctrlKey || event.metaKey || event.altKey) return true;
  if (event.shiftKey && event.key !== " ") return true;
  if (isEditable(target)) return !FIELD_KEYS.includes(event.key);
  return event.key === " " && target.closest("button, summary, [role=button]") !== null;
}

/** The transcript of a chat or a room; else what comes last, since columns of links come first. */
function mainScroller(main: HTMLElement): HTMLElement | undefined {
  const boxes = [main, ...main.querySelectorAll<HTMLElement>(".scroller")].filter(canScroll);
  return boxes.find((box) => box.role === "log") ?? boxes.at(-1);
}

/** Pass keys that scroll on to the main scroller inside `main`. */
export function useScrollKeys(main: RefObject<HTMLElement | null>): void {
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      const distance = DISTANCES[event.key];
      const { target } = event;
      if (!distance || !main.current || !(target instanceof Element)) return;
      if (isUsed(event, target) || scrollsByItself(target)) return;
      if (document.querySelector("dialog[open]")) return;
      const box = mainScroller(main.current);
      if (!box) return;
      event.preventDefault();
      box.scrollBy({ top: distance(box, event.shiftKey), behavior: "instant" });
    };
    document.addEventListener("keydown", onKey);
    return () => document.removeEventListener("keydown", onKey);
  }, [main]);
}
