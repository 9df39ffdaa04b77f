// Runs keyboard shortcuts. Single keys work only outside fields and dialogs and not within a second of typing, since
// the field may have lost the focus in between; one switch turns them off (WCAG 2.1.4). A combination is written "n",
// "?", "mod+k" or, as a sequence, "g t".
import { useEffect, useRef } from "react";

const OFF = "tutordesk.single-keys-off";

export function singleKeysOff(): boolean {
  try {
    return localStorage.getItem(OFF) === "1";
  } catch {
    return false;
  }
}

export function setSingleKeysOff(off: boolean): void {
  try {
    if (off) localStorage.setItem(OFF, "1");
    else localStorage.removeItem(OFF);
  } catch {
    // without storage the switch cannot be saved
  }
}

export function isEditable(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable || /^(?:INPUT|TEXTAREA|SELECT)$/.test(target.tagName))
  );
}

/** Return whether an input method composes a word: its Enter must not send. Safari reports only key code 229. */
export function isComposing(event: { isComposing?: boolean; keyCode?: number }): boolean {
  return event.isComposing === true || event.keyCode === 229;
}

const TYPING_MS = 1_000;
const LEAVING_KEYS = ["Escape", "Tab"];
let typedAt = Number.NEGATIVE_INFINITY;
const isTyping = (): boolean => performance.now() - typedAt < TYPING_MS;
document.addEventListener("pointerdown", () => {
  typedAt = Number.NEGATIVE_INFINITY;
});

/** Note whether a key is typing: written into a field, or the next of a text whose field has lost the focus. */
function noteTyping(event: KeyboardEvent): void {
  if (LEAVING_KEYS.includes(event.key)) typedAt = Number.NEGATIVE_INFINITY;
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const writes = event.key.length === 1 || isComposing(event);
  if (writes && (isEditable(event.target) || isTyping())) typedAt = performance.now();
}

let sequence = "";
let pending: { key: string; at: number } | null = null;
document.addEventListener(
  "keydown",
  (event) => {
    // This runs before the hooks below and remembers the first key of a sequence for one second.
    noteTyping(event);
    const last = pending && Date.now() - pending.at < 1_000 ? pending.key : null;
    sequence = last ? `${last} ${event.key}` : event.key;
    const starts = event.key === "g" && !event.ctrlKey && !event.metaKey && !event.altKey;
    pending = starts && !last ? { key: "g", at: Date.now() } : null;
  },
  true,
);
export type Hotkeys = Record<string, (event: KeyboardEvent) => void>;

/** Run the function of a pressed key or combination while this component is mounted. */
export function useHotkeys(keys: Hotkeys, enabled = true): void {
  const latest = useRef(keys);
  useEffect(() => {
    latest.current = keys;
  });
  useEffect(() => {
    if (!enabled) return;
    const onKey = (event: KeyboardEvent) => {
      if (event.defaultPrevented || isComposing(event)) return;
      const mod = event.ctrlKey || event.metaKey;
      if (mod || event.altKey) {
        const name = `${mod ? "mod+" : ""}${event.altKey ? "alt+" : ""}${event.key.toLowerCase()}`;
        const run = latest.current[name];
        if (run) {
          event.preventDefault();
          run(event);
        }
        return;
      }
      if (document.querySelector("dialog[open]")) return;
      if (event.key !== "Escape" && (isEditable(event.target) || isTyping() || singleKeysOff()))
        return;
      const run = latest.current[sequence] ?? latest.current[event.key];
      if (!run) return;
      if (event.key === "Enter" && event.target instanceof Element) {
        if (event.target.closest("a, button, summary")) return;
      }
      event.preventDefault();
      run(event);
    };
    document.addEventListener("keydown", onKey);
    return () => document.removeEventListener("keydown", onKey);
  }, [enabled]);
}
