// The side of the chat: tickets to chat about, and past chats. It is a column on wide screens and a sheet on narrow ones,
// and opens at the past chats if the address holds a search.
import { memo, useState } from "react";
import { useSearchParams } from "react-router";
import { cn } from "@/ui/cn";
import { History } from "../history/history";
import type { SideProps } from "./side-list";
import { SideTickets } from "./side-tickets";

/** The side, memoised: a growing answer must not draw it again. */
export const Side = memo(function Side(props: SideProps) {
  const [params] = useSearchParams();
  const [tab, setTab] = useState<"tickets" | "history">(params.has("q") ? "history" : "tickets");
  const button = (name: typeof tab, label: string) => (
    <button
      type="button"
      aria-pressed={tab === name}
      onClick={() => setTab(name)}
      className={cn(
        "-mb-px border-b-2 px-0.5 font-[550]",
        tab === name ? "border-accent text-text" : "border-transparent text-dim hover:text-text",
      )}
    >
      {label}
    </button>
  );
  return (
    <div className="flex h-full min-h-0 flex-1 flex-col">
      <div className="flex h-[47px] shrink-0 gap-4 border-b border-line px-4">
        {button("tickets", "Tickets")}
        {button("history", "History")}
      </div>
      {tab === "tickets" ? <SideTickets {...props} /> : <History {...props} />}
    </div>
  );
});
