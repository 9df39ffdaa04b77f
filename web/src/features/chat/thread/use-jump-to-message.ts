// Brings a found message into view, marks it for a moment, and colours the words of the search in it (CSS
// highlights: the text stays as React drew it). Messages above may still grow into place, so for a moment it
// is looked for again, until the reader does something.
import { useEffect, useLayoutEffect } from "react";
import { markWords } from "@/ui/highlight";
import type { Reading } from "@/ui/scroll/use-reading";
import { announce } from "../ask/store";

const SETTLE_MS = 2_000;
const MARK_MS = 2_500;
const HIGHLIGHT = "found";
// Not in index.css, whose compiler does not know this selector yet.
const STYLE = `::highlight(${HIGHLIGHT}) { background-color: var(--accent-bg); color: var(--accent); }`;
let isStyled = false;

export interface Found {
  messageId: string;
  /** The words of the search. */
  words: string;
}

/** Where the words stand in the text of a node, as words are marked everywhere (ui/highlight). */
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
  if (typeof Highlight !== "function") return; // older browsers: the mark around the message says enough
  if (!isStyled) {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(STYLE);
    document.adoptedStyleSheets.push(sheet);
    isStyled = true;
  }
  CSS.highlights.set(HIGHLIGHT, new Highlight(...ranges));
}

/** The words where there are some, else the message's beginning, a third down the view. */
function bringIntoView(box: HTMLElement, message: HTMLElement, words: string): void {
  const text = message.querySelector(".md, p") ?? message;
  const ranges = rangesOf(text, words);
  colour(ranges);
  const { top } = box.getBoundingClientRect();
  const whole = message.getBoundingClientRect();
  const at = whole.height > box.clientHeight / 2 && ranges[0] ? ranges[0] : message;
  box.scrollTop += at.getBoundingClientRect().top - top - box.clientHeight / 3;
}

function settle(box: HTMLElement, content: Element, found: Found): () => void {
  let marked: HTMLElement | null = null;
  const look = () => {
    const message = box.querySelector<HTMLElement>(
      `[data-message="${CSS.escape(found.messageId)}"]`,
    );
    if (!message) return;
    bringIntoView(box, message, found.words);
    if (marked) return;
    marked = message;
    message.dataset.found = "";
    announce("The message found is in view");
    timers.push(setTimeout(() => delete message.dataset.found, MARK_MS));
    timers.push(setTimeout(end, SETTLE_MS));
  };
  const observer = new ResizeObserver(look);
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

/** `shown` changes with the messages: what comes in never moves the view while a found one is looked at. */
export function useFound(reading: Reading, found: Found | null, shown: unknown): void {
  const { box, content, hold } = reading;
  const id = found?.messageId;
  const words = found?.words ?? "";
  // biome-ignore lint/correctness/useExhaustiveDependencies: `shown` is when to hold, not what
  useLayoutEffect(() => {
    if (id) hold();
  }, [id, shown, hold]);
  useEffect(() => {
    if (!id || !box.current || !content.current) return;
    return settle(box.current, content.current, { messageId: id, words });
  }, [id, words, box, content]);
}
