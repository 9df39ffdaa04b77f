// Scrolls to a message that a search matched, marks it for a moment, and colours the words of the search in it by CSS
// highlights, which leave React's nodes unchanged. Messages above may still grow, so the scrolling is repeated for a
// moment, until the reader does something.
import { useEffect, useLayoutEffect } from "react";
import { markWords } from "@/ui/highlight";
import type { Reading } from "@/ui/scroll/use-reading";
import { announce } from "../ask/store";

const SETTLE_MS = 2_000;
const MARK_MS = 2_500;
const HIGHLIGHT = "found";
// The compiler of index.css does not know this selector yet.
const STYLE = `::highlight(${HIGHLIGHT}) { background-color: var(--accent-bg); color: var(--accent); }`;
let isStyled = false;

export interface JumpTarget {
  messageId: string;
  /** The words of the search that led here. */
  words: string;
}

/** Return where the words stand in the text of a node, matched as in ui/highlight. */
export function rangesOf(node: Node, words: string): Range[] {
  const ranges: Range[] = [];
  const walker = document.createTreeWalker(node, NodeFilter.SHOW_TEXT);
  for (let text = walker.nextNode(); text; text = walker.nextNode()) {
    let at = 0;
    for (const piece of markWords(text.nodeValue ?? "", words)) {
      const end = at + piece.text.length;
      if (piece.hit) {
        const range = document.createRange();
        range.setStart(text, at);
        range.setEnd(text, end);
        ranges.push(range);
      }
      at = end;
    }
  }
  return ranges;
}

function colour(ranges: Range[]): void {
  if (typeof Highlight !== "function") return; // older browsers show only the mark around the message
  if (!isStyled) {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(STYLE);
    document.adoptedStyleSheets.push(sheet);
    isStyled = true;
  }
  CSS.highlights.set(HIGHLIGHT, new Highlight(...ranges));
}

/** Scroll so that the words, or else the beginning of the message, are a third down the view. */
function bringIntoView(box: HTMLElement, message: HTMLElement, words: string): void {
  const text = message.querySelector(".md, p") ?? message;
  const ranges = rangesOf(text, words);
  colour(ranges);
  const { top } = box.getBoundingClientRect();
  const whole = message.getBoundingClientRect();
  const at = whole.height > box.clientHeight / 2 && ranges[0] ? ranges[0] : message;
  box.scrollTop += at.getBoundingClientRect().top - top - box.clientHeight / 3;
}

/** Keep the message in view until the layout has settled. Returns the clean-up. */
function keepInView(box: HTMLElement, content: Element, target: JumpTarget): () => void {
  let marked: HTMLElement | null = null;
  const jump = () => {
    const message = box.querySelector<HTMLElement>(
      `[data-message="${CSS.escape(target.messageId)}"]`,
    );
    if (!message) return;
    bringIntoView(box, message, target.words);
    if (marked) return;
    marked = message;
    message.dataset.found = "";
    announce("The message is in view");
    timers.push(setTimeout(() => delete message.dataset.found, MARK_MS));
    timers.push(setTimeout(end, SETTLE_MS));
  };
  const observer = new ResizeObserver(jump);
  const end = () => observer.disconnect();
  const timers: ReturnType<typeof setTimeout>[] = [];
  const acts = ["wheel", "touchstart", "keydown", "pointerdown"];
  observer.observe(content);
  for (const act of acts) box.addEventListener(act, end, { passive: true });
  return () => {
    end();
    for (const act of acts) box.removeEventListener(act, end);
    for (const timer of timers) clearTimeout(timer);
    delete marked?.dataset.found;
    colour([]);
  };
}

/** Jump to a message, and keep the view while people look at it. `shown` changes whenever messages are added. */
export function useJumpToMessage(
  reading: Reading,
  target: JumpTarget | null,
  shown: unknown,
): void {
  const { box, content, hold } = reading;
  const id = target?.messageId;
  const words = target?.words ?? "";
  // biome-ignore lint/correctness/useExhaustiveDependencies: `shown` says when to hold
  useLayoutEffect(() => {
    if (id) hold();
  }, [id, shown, hold]);
  useEffect(() => {
    if (!id || !box.current || !content.current) return;
    return keepInView(box.current, content.current, { messageId: id, words });
  }, [id, words, box, content]);
}
