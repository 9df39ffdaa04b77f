// One line of /status: the name of a part, its state, and a sentence about it.

import { cn } from "@/ui/cn";
import type { Status } from "./query";

type State = Status["parts"][number]["state"] | "testing";

const DOTS: Record<State, string> = {
  ok: "bg-accent",
  warning: "bg-warn",
  down: "bg-danger",
  off: "border border-edge",
  testing: "border border-edge",
};
const STATE_WORDS: Record<State, string> = {
  ok: "works",
  warning: "needs attention",
  down: "not working",
  off: "off",
  testing: "testing…",
};

export function StatusLine({ name, state, says }: { name: string; state: State; says: string }) {
  const isBad = state === "warning" || state === "down";
  return (
    <li className="grid grid-cols-[auto_minmax(0,1fr)_auto] items-baseline gap-x-3 border-b border-line px-4 py-3 md:px-3">
      <span aria-hidden="true" className={cn("size-2 rounded-full", DOTS[state])} />
      <span className="font-[550]">{name}</span>
      <span
        className={cn("meta", isBad && "font-semibold", {
          "text-warn": state === "warning",
          "text-danger": state === "down",
        })}
      >
        {STATE_WORDS[state]}
      </span>
      <span className="col-start-2 col-end-4 min-h-6 text-[14px] text-soft">{says}</span>
    </li>
  );
}
