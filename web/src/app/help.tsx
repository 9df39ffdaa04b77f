// The help dialog: every key and where it works, and the switch that turns single keys off.
import { useState } from "react";
import { setSingleKeysOff, singleKeysOff } from "@/lib/browser/hotkeys";
import { Dialog } from "@/ui/dialog";
import { Kbd } from "@/ui/kbd";
import { ThemeSwitch } from "./navigation";

const KEYS: [string, [string, string][]][] = [
  [
    "Everywhere",
    [
      ["Ctrl K", "Search tickets, rooms and pages"],
      ["?", "This help"],
      ["g t", "Go to the tickets"],
      ["g c", "Go to the chat"],
      ["g r", "Go to the rooms"],
      ["g s", "Go to the status page"],
      ["n", "New ticket"],
      ["Esc", "Close, or stop the tutor"],
    ],
  ],
  [
    "Tickets",
    [
      ["/", "Search"],
      ["j", "Next ticket"],
      ["k", "Previous ticket"],
      ["↵", "Open it"],
      ["a", "Ask the tutor about it"],
      ["e", "Edit it"],
      ["Ctrl ↵", "Save the form"],
      ["Alt P", "Preview the description"],
    ],
  ],
  [
    "Chat",
    [
      ["c", "Write a message"],
      ["/", "Find a ticket"],
      ["↵", "Send"],
      ["⇧ ↵", "New line"],
      ["↑", "Edit the last question, in an empty field"],
      ["← →", "Switch between versions of an answer"],
      ["Alt ↓", "Go to the newest answer"],
    ],
  ],
  [
    "Rooms",
    [
      ["c", "Write a message"],
      ["@", "Mention a member or the tutor"],
      ["↑", "Edit your last message, in an empty field"],
      ["Alt ↓", "Go to the newest message"],
    ],
  ],
];

export function Help({ open, onClose }: { open: boolean; onClose: () => void }) {
  const [isOff, setOff] = useState(singleKeysOff);
  return (
    <Dialog open={open} onClose={onClose} title="Keyboard">
      {KEYS.map(([name, keys]) => (
        <section key={name} className="mb-4">
          <h3 className="meta mb-1 font-semibold">{name}</h3>
          <dl className="grid grid-cols-[auto_1fr] items-center gap-x-4 gap-y-1">
            {keys.map(([key, text]) => (
              <div key={key + text} className="contents">
                <dt className="flex min-w-[72px] items-center">
                  <Kbd className="!inline-block">{key}</Kbd>
                  <span className="sr-only">{key}</span>
                </dt>
                <dd className="text-[14px] text-soft">{text}</dd>
              </div>
            ))}
          </dl>
        </section>
      ))}
      <div className="flex flex-wrap items-center justify-between gap-3 border-t border-line pt-3">
        <label className="flex min-h-7 items-center gap-2 text-[14px]">
          <input
            type="checkbox"
            className="size-4 accent-accent"
            checked={!isOff}
            onChange={(event) => {
              setSingleKeysOff(!event.target.checked);
              setOff(!event.target.checked);
            }}
          />
          Use single-key shortcuts
        </label>
        <ThemeSwitch />
      </div>
    </Dialog>
  );
}
