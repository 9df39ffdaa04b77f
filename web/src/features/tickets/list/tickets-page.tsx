// /tickets: search, filters and the list, kept current by events. Old results stay while new ones load, and the
// cursor follows a ticket, not a position.
import { keepPreviousData, useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useCallback, useRef, useState } from "react";
import { Link, useNavigate } from "react-router";
import { facetsQuery, ticketListQuery } from "@/lib/api/queries";
import type { TicketItem } from "@/lib/api/types";
import { useHotkeys } from "@/lib/browser/hotkeys";
import { usePageTitle } from "@/lib/browser/page";
import { Button, buttonClass } from "@/ui/button";
import { cn } from "@/ui/cn";
import { SearchField } from "@/ui/fields/search-field";
import { Kbd } from "@/ui/kbd";
import { useNearView } from "@/ui/scroll/use-near-view";
import { Failure, useDelayed } from "@/ui/states";
import { ListSkeleton, NoMatches, NoTickets } from "./empty-list";
import { FilterChips } from "./filter-chips";
import { TicketRow } from "./ticket-row";
import { useTicketFilter } from "./use-ticket-filter";

/** Move a cursor over the tickets with j and k, and open with Enter. Returns the id of the current ticket. */
function useCursor(items: TicketItem[]) {
  const [current, setCurrent] = useState<string | null>(null);
  const navigate = useNavigate();
  const move = (step: number) => {
    const index = items.findIndex((item) => item.id === current);
    const next = items[Math.max(0, Math.min(items.length - 1, index < 0 ? 0 : index + step))];
    if (!next) return;
    setCurrent(next.id);
    document.querySelector(`[data-ticket="${next.id}"]`)?.scrollIntoView({ block: "nearest" });
  };
  useHotkeys({
    j: () => move(1),
    k: () => move(-1),
    Enter: () => {
      if (items.some((item) => item.id === current)) navigate(`/tickets/${current}`);
    },
  });
  return current;
}

export default function TicketsPage() {
  usePageTitle("Tickets");
  const { filter, change } = useTicketFilter();
  const input = useRef<HTMLInputElement>(null);
  const list = useInfiniteQuery({ ...ticketListQuery(filter), placeholderData: keepPreviousData });
  const { data: facets, failureCount } = useQuery(facetsQuery);
  // The list waits for the filters above it, whose height is not known before, unless they fail.
  const isPending = list.isPending || (!facets && failureCount === 0);
  const pages = isPending ? [] : (list.data?.pages ?? []);
  const items = pages.flatMap((page) => page.data);
  const current = useCursor(items);
  const slow = useDelayed(isPending);
  const filtered = filter.q !== "" || filter.category !== "" || filter.tags.length > 0;
  const { fetchNextPage } = list;
  const loadMore = useCallback(() => void fetchNextPage({ cancelRefetch: false }), [fetchNextPage]);
  const hasMore =
    !isPending && list.hasNextPage && !list.isFetchingNextPage && !list.isFetchNextPageError;
  const end = useNearView(hasMore, "600px", loadMore);
  const onSearch = useCallback((q: string) => change({ q }, true), [change]);
  useHotkeys({
    "/": () => {
      input.current?.focus();
      input.current?.select();
    },
  });

  const total = facets?.categories.reduce((sum, facet) => sum + facet.count, 0) ?? 0;
  const count = list.hasNextPage ? (filtered ? null : total || null) : items.length;
  const summary = [
    count === null
      ? `${items.length} shown, more below`
      : `${count} ${count === 1 ? "ticket" : "tickets"}`,
    filter.q ? "best match first" : "newest first",
  ];
  return (
    <div className="mx-auto max-w-[980px] px-4 pt-4 pb-16 md:px-7 md:pt-[22px]">
      <h1 className="sr-only">Tickets</h1>
      <search className="mb-3.5 flex gap-2.5">
        <SearchField label="Search tickets" value={filter.q} onChange={onSearch} inputRef={input} />
        <Link to="/tickets/new" className={buttonClass("primary", "min-h-[38px]")}>
          New ticket <Kbd bare>n</Kbd>
        </Link>
      </search>
      <FilterChips filter={filter} onChange={change} />
      <p
        role="status"
        className="meta -mx-3 mt-2 flex min-h-[37px] items-center border-b border-line px-3"
      >
        {items.length > 0 ? summary.join(" · ") : ""}
        {list.isRefetchError && <span className="text-warn"> · could not refresh, retrying</span>}
      </p>
      {list.isError && !list.data ? (
        <Failure
          title="The tickets could not be loaded"
          error={list.error}
          onRetry={() => void list.refetch()}
        />
      ) : isPending ? (
        slow && <ListSkeleton />
      ) : items.length === 0 && !list.isPlaceholderData ? (
        filtered ? (
          <NoMatches query={filter.q} onClear={() => change({ q: "", category: "", tags: [] })} />
        ) : (
          <NoTickets onAdded={() => void list.refetch()} />
        )
      ) : (
        <ol
          className={cn("-mx-3", list.isPlaceholderData && "opacity-70")}
          aria-busy={list.isPlaceholderData}
          aria-label="Tickets"
        >
          {items.map((item) => (
            <TicketRow key={item.id} item={item} query={filter.q} isCurrent={item.id === current} />
          ))}
        </ol>
      )}
      <div ref={end} />
      {list.hasNextPage && items.length > 0 && (
        <div className="mt-5 flex flex-wrap items-center justify-center gap-3">
          {list.isFetchNextPageError && (
            <span className="text-soft">The next tickets could not be loaded.</span>
          )}
          <Button disabled={list.isFetchingNextPage} onClick={loadMore}>
            {list.isFetchingNextPage ? "Loading…" : "Load more"}
          </Button>
        </div>
      )}
    </div>
  );
}
