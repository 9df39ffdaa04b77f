// One ticket in the list: title, summary or excerpt, category, tags and time. The title's link covers the row, so a
// click anywhere opens the ticket and a middle click opens a tab.
import { memo } from "react";
import { Link } from "react-router";
import type { TicketItem } from "@/lib/api/types";
import { cn } from "@/ui/cn";
import { Highlight } from "@/ui/highlight";
import { Time } from "@/ui/time";
import { SummaryState } from "../model/summary-state";

interface TicketRowProps {
  item: TicketItem;
  query: string;
  isCurrent: boolean;
}

export const TicketRow = memo(function TicketRow({ item, query, isCurrent }: TicketRowProps) {
  const summary = item.ai_summary || (item.summary_status === "ready" ? item.excerpt : "");
  return (
    <li
      data-ticket={item.id}
      className={cn(
        "relative grid grid-cols-[minmax(0,1fr)] gap-x-5 border-b border-line px-3 py-3 md:grid-cols-[minmax(0,1fr)_auto]",
        "hover:bg-panel has-[a:focus-visible]:bg-panel [content-visibility:auto] [contain-intrinsic-size:auto_93px]",
        isCurrent && "bg-panel shadow-[inset_2px_0_0_var(--accent)]",
      )}
    >
      <h2
        dir="auto"
        className="min-w-0 text-[15px] leading-[1.45] font-semibold break-words text-pretty"
      >
        <Link
          to={`/tickets/${item.id}`}
          className="outline-offset-4 before:absolute before:inset-0 before:content-['']"
        >
          <Highlight text={item.title} query={query} />
        </Link>
      </h2>
      <Time at={item.created_at} className="meta hidden md:block" />
      <div className="mt-0.5 min-h-[22px] text-[14px] leading-[22px] text-soft md:col-start-1">
        {summary ? (
          <p dir="auto" className="line-clamp-2 break-words md:line-clamp-1">
            <Highlight text={summary} query={query} />
          </p>
        ) : (
          <SummaryState id={item.id} status={item.summary_status} />
        )}
      </div>
      <p className="meta mt-0.5 flex min-w-0 flex-wrap gap-x-3 md:col-start-1">
        {item.category && (
          <bdi className="text-soft">
            <Highlight text={item.category} query={query} />
          </bdi>
        )}
        {item.tags.map((tag) => (
          <span key={tag} dir="auto" className="break-all">
            #<Highlight text={tag} query={query} />
          </span>
        ))}
        <Time at={item.created_at} className="md:hidden" />
      </p>
    </li>
  );
});
