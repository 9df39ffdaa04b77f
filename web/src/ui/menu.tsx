// Opens a menu from a small button, as the ARIA practices describe it: arrows, Home, End and first letters move, Esc
// returns to the button, Tab and a press elsewhere close it. It is a native popover, so that no scroller cuts it off and
// a dialog can hold it.
import { MoreHorizontal } from "lucide-react";
import { type KeyboardEvent, useCallback, useEffect, useId, useRef, useState } from "react";
import { cn } from "./cn";

/** An entry runs an action, or downloads from an address. */
export type MenuEntry =
  | { label: string; run: () => void; danger?: boolean }
  | { label: string; download: string };

interface MenuProps {
  /** The name of the button. */
  label: string;
  entries: MenuEntry[];
  className?: string;
}

const GAP = 4;
const EDGE = 8;

/** Put the menu under the button with their right edges aligned, or above it if the space below is too small. */
function place(menu: HTMLElement, button: HTMLElement): void {
  const at = button.getBoundingClientRect();
  const { offsetWidth: width, offsetHeight: height } = menu;
  const below = at.bottom + GAP;
  const top = below + height > innerHeight - EDGE ? at.top - GAP - height : below;
  const left = Math.min(at.right - width, innerWidth - width - EDGE);
  menu.style.top = `${Math.max(EDGE, top)}px`;
  menu.style.left = `${Math.max(EDGE, left)}px`;
}

/** Return the index of the entry to which a key leads from the entry at `from`, or null if it leads nowhere. */
export function entryFor(key: string, from: number, labels: string[]): number | null {
  const count = labels.length;
  if (key === "ArrowDown") return (from + 1) % count;
  if (key === "ArrowUp") return (from - 1 + count) % count;
  if (key === "Home") return 0;
  if (key === "End") return count - 1;
  if (key.length !== 1) return null;
  const order = labels.map((_, step) => (from + 1 + step) % count);
  return order.find((at) => labels[at]?.toLowerCase().startsWith(key.toLowerCase())) ?? null;
}

function MenuItem({ entry, onClose }: { entry: MenuEntry; onClose: () => void }) {
  if ("download" in entry) {
    return (
      <a
        href={entry.download}
        download
        role="menuitem"
        tabIndex={-1}
        className="menu-item"
        onClick={() => setTimeout(onClose)} // once the browser has followed the link
        onKeyDown={(event) => {
          if (event.key !== " ") return;
          event.preventDefault();
          event.currentTarget.click();
        }}
      >
        {entry.label}
      </a>
    );
  }
  return (
    <button
      type="button"
      role="menuitem"
      tabIndex={-1}
      className={cn("menu-item", entry.danger && "text-danger")}
      onClick={() => {
        onClose();
        entry.run();
      }}
    >
      {entry.label}
    </button>
  );
}

function MenuList({ id, entries, button, onClose }: MenuListProps) {
  const list = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const menu = list.current;
    if (!menu || !button) return;
    menu.showPopover?.();
    place(menu, button);
    menu.querySelector<HTMLElement>("[role=menuitem]")?.focus();
    const onToggle = (event: ToggleEvent) => {
      if (event.newState === "closed") onClose(false);
    };
    const onMove = () => onClose(false);
    menu.addEventListener("toggle", onToggle);
    addEventListener("resize", onMove);
    return () => {
      menu.removeEventListener("toggle", onToggle);
      removeEventListener("resize", onMove);
    };
  }, [button, onClose]);
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "Tab") return onClose(true);
    if (event.key === "Escape") {
      event.preventDefault();
      return onClose(true);
    }
    const items = [...(list.current?.querySelectorAll<HTMLElement>("[role=menuitem]") ?? [])];
    const from = items.findIndex((item) => item.matches(":focus"));
    const labels = entries.map((entry) => entry.label);
    const to = event.ctrlKey || event.metaKey ? null : entryFor(event.key, from, labels);
    if (to === null) return;
    event.preventDefault();
    event.stopPropagation();
    items[to]?.focus();
  };
  return (
    <div
      ref={list}
      id={id}
      role="menu"
      tabIndex={-1}
      popover="auto"
      aria-label={button?.getAttribute("aria-label") ?? undefined}
      className="menu"
      onKeyDown={onKeyDown}
    >
      {entries.map((entry) => (
        <MenuItem key={entry.label} entry={entry} onClose={() => onClose(true)} />
      ))}
    </div>
  );
}

interface MenuListProps {
  id: string;
  entries: MenuEntry[];
  button: HTMLElement | null;
  /** Close the menu; `back` returns the focus to the button. */
  onClose: (back: boolean) => void;
}

export function Menu({ label, entries, className }: MenuProps) {
  const [open, setOpen] = useState(false);
  const button = useRef<HTMLButtonElement>(null);
  const id = useId();
  const close = useCallback((back: boolean) => {
    setOpen(false);
    if (back) button.current?.focus({ preventScroll: true });
  }, []);
  return (
    <>
      <button
        ref={button}
        type="button"
        className={cn("icon-button", className)}
        aria-label={label}
        aria-haspopup="menu"
        aria-expanded={open}
        aria-controls={open ? id : undefined}
        onClick={() => setOpen((now) => !now)}
        onKeyDown={(event) => {
          if (event.key !== "ArrowDown") return;
          event.preventDefault();
          setOpen(true);
        }}
      >
        <MoreHorizontal size={16} aria-hidden="true" />
      </button>
      {open && <MenuList id={id} entries={entries} button={button.current} onClose={close} />}
    </>
  );
}
