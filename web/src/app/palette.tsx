// The palette (Ctrl/Cmd+K): pages, rooms and tickets in one list, loaded when first opened. It follows the ARIA
// combobox pattern: focus stays in the field, arrows move the chosen option.
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { type KeyboardEvent, useEffect, useId, useState } from "react";
import { useNavigate } from "react-router";
import { meQuery, roomsQuery, ticketListQuery } from "@/lib/api/queries";
import { isComposing } from "@/lib/browser/hotkeys";
import { askIdentity } from "@/lib/browser/identity";
import { cn } from "@/ui/cn";
import { Dialog } from "@/ui/dialog";
import { Highlight } from "@/ui/highlight";
import { setTheme } from "./theme";

interface Option {
  id: string;
  label: string;
  note: string;
  run: () => void;
}

function useDebounced(value: string, ms: number): string {
  const [debounced, setDebounced] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setDebounced(value), ms);
    return () => clearTimeout(timer);
  }, [value, ms]);
  return debounced;
}

function useOptions(text: string, close: () => void): Option[] {
  const navigate = useNavigate();
  const q = useDebounced(text.trim(), 120);
  const { data } = useInfiniteQuery(ticketListQuery({ q, category: "", tags: [] }));
  const { data: me } = useQuery(meQuery);
  const rooms = useInfiniteQuery(roomsQuery).data?.pages.flatMap((page) => page.data) ?? [];
  const go = (to: string, state?: unknown) => () => {
    close();
    navigate(to, { state });
  };
  const theme = (name: "light" | "dark" | "system") => () => {
    close();
    setTheme(name);
  };
  const identity = (question: Parameters<typeof askIdentity>[0]) => () => {
    close();
    void askIdentity(question);
  };
  const pages: Option[] = [
    { id: "tickets", label: "Tickets", note: "page", run: go("/tickets") },
    { id: "new", label: "New ticket", note: "page", run: go("/tickets/new") },
    { id: "chat", label: "Chat with the tutor", note: "page", run: go("/chat") },
    { id: "rooms", label: "Rooms", note: "page", run: go("/rooms") },
    { id: "status", label: "Status", note: "page", run: go("/status") },
    {
      id: "name",
      label: me?.name ? "Change your name" : "Choose a name",
      note: "you",
      run: identity("name"),
    },
    {
      id: "account",
      label: me?.email ? "Change your account" : "Create an account",
      note: "you",
      run: identity("account"),
    },
    ...(me?.email
      ? []
      : [{ id: "sign-in", label: "Sign in", note: "you", run: identity("sign-in") }]),
    { id: "light", label: "Light theme", note: "setting", run: theme("light") },
    { id: "dark", label: "Dark theme", note: "setting", run: theme("dark") },
    { id: "system", label: "System theme", note: "setting", run: theme("system") },
  ];
  const words = text.trim().toLowerCase().split(/\s+/).filter(Boolean);
  const isMatch = ({ label }: { label: string }) =>
    words.every((word) =>
      label
        .toLowerCase()
        .split(" ")
        .some((part) => part.startsWith(word)),
    );
  const matchingPages = pages.filter(isMatch);
  const matchingRooms = rooms
    .map(({ id, name }) => ({
      id: `room-${id}`,
      label: name,
      note: "room",
      run: go(`/rooms/${id}`),
    }))
    .filter(isMatch)
    .slice(0, 5);
  const tickets = (data?.pages[0]?.data ?? []).slice(0, 8).map((item) => ({
    id: `ticket-${item.id}`,
    label: item.title,
    note: item.category || "ticket",
    run: go(`/tickets/${item.id}`),
  }));
  const ask: Option[] = text.trim()
    ? [
        {
          id: "ask",
          label: `Ask the tutor: ${text.trim()}`,
          note: "chat",
          run: go("/chat", { ask: text.trim() }),
        },
      ]
    : [];
  return words.length > 0
    ? [...matchingRooms, ...tickets, ...matchingPages, ...ask]
    : [...pages.slice(0, 4), ...tickets];
}

function PaletteBody({ onClose }: { onClose: () => void }) {
  const [text, setText] = useState("");
  const [index, setIndex] = useState(0);
  const id = useId();
  const options = useOptions(text, onClose);
  const chosen = Math.min(index, options.length - 1);
  const onKeyDown = (event: KeyboardEvent) => {
    if (isComposing(event.nativeEvent)) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) {
      event.preventDefault();
      const next = (chosen + step + options.length) % options.length;
      setIndex(next);
      document.getElementById(`${id}-${next}`)?.scrollIntoView({ block: "nearest" });
    } else if (event.key === "Enter") {
      event.preventDefault();
      options[chosen]?.run();
    }
  };
  return (
    <>
      <input
        // biome-ignore lint/a11y/noAutofocus: the palette is opened to type into it
        autoFocus
        role="combobox"
        dir="auto"
        aria-expanded="true"
        aria-controls={`${id}-list`}
        aria-activedescendant={options.length > 0 ? `${id}-${chosen}` : undefined}
        aria-label="Search tickets, rooms and pages"
        placeholder="Search tickets, rooms and pages"
        autoComplete="off"
        spellCheck={false}
        maxLength={200}
        className="h-12 w-full border-b border-line bg-transparent px-4 text-[16px] outline-none"
        value={text}
        onChange={(event) => {
          setText(event.target.value);
          setIndex(0);
        }}
        onKeyDown={onKeyDown}
      />
      <div
        id={`${id}-list`}
        role="listbox"
        aria-label="Results"
        tabIndex={-1}
        className="max-h-[50dvh] min-h-24 overflow-y-auto p-1.5"
      >
        {options.map((option, position) => (
          // biome-ignore lint/a11y/useKeyWithClickEvents: the field above has the keys
          <div
            key={option.id}
            id={`${id}-${position}`}
            role="option"
            tabIndex={-1}
            aria-selected={position === chosen}
            className={cn(
              "flex min-h-10 cursor-pointer items-center gap-4 rounded-md px-2.5",
              position === chosen && "bg-raise",
            )}
            onPointerMove={() => setIndex(position)}
            onClick={option.run}
          >
            <span dir="auto" className="min-w-0 flex-1 truncate">
              <Highlight text={option.label} query={option.id === "ask" ? "" : text} />
            </span>
            <span className="meta max-w-[16ch] truncate">{option.note}</span>
          </div>
        ))}
      </div>
    </>
  );
}

export default function Palette({ open, onClose }: { open: boolean; onClose: () => void }) {
  return (
    <Dialog open={open} onClose={onClose} title="Search" kind="palette" hideTitle>
      <PaletteBody onClose={onClose} />
    </Dialog>
  );
}
