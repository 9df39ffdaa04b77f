// /tickets: search, filters and the list, kept current by events. Old results stay while new ones load, and the
// cursor follows a ticket, not a position.
import { keepPreviousData, useInfiniteQuery, useMutation, useQuery } from "@tanstack/react-query";
import { useCallback, useEffect, useRef, useState } from "react";
import { Link, useNavigate } from "react-router";
import { api } from "@/lib/api";
import { useHotkeys } from "@/lib/hotkeys";
import { usePageTitle } from "@/lib/page";
import { facetsQuery, ticketListQuery } from "@/lib/queries";
import type { TicketItem } from "@/lib/types";
import { Button, buttonClass } from "@/ui/button";
import { cn } from "@/ui/cn";
import { Kbd } from "@/ui/kbd";
import { SearchField } from "@/ui/search-field";
import { Failure, Notice, Skeleton, useDelayed } from "@/ui/states";
import { toast } from "@/ui/toast";
import { FilterChips } from "./filter-chips";
import { TicketRow } from "./ticket-row";
import { useTicketFilter } from "./use-ticket-filter";

function NoTickets({ onAdded }: { onAdded: () => void }) {
  const add = useMutation({
    mutationFn: api.addSampleTickets,
    onSuccess: ({ created }) => {
      toast(`${created} sample tickets added.`);
      onAdded();
    },
    onError: (error) => toast(`Could not add the samples. ${error.message}`),
  });
  return (
    <Notice
      title="No tickets yet"
      actions={
        <>
          <Button weight="primary" disabled={add.isPending} onClick={() => add.mutate()}>
            {add.isPending ? "Adding…" : "Add sample tickets"}
          </Button>
          <Link to="/tickets/new" className={buttonClass()}>
            New ticket
          </Link>
        </>
      }
    >
      Tickets are what your helpdesk knows: articles, learning guides and solved cases. The tutor
      reads them to answer.
    </Notice>
  );
}

function NoMatches({ query, onClear }: { query: string; onClear: () => void }) {
  return (
    <Notice
      title={query ? `No ticket matches “${query}”` : "No ticket matches these filters"}
      actions={
        <>
          {query && (
            <>
              <Link to="/chat" state={{ ask: query }} className={buttonClass("primary")}>
                Ask the tutor
              </Link>
              <Link
                to={`/tickets/new?title=${encodeURIComponent(query)}`}
                className={buttonClass()}
              >
                Create ticket with this title
              </Link>
            </>
          )}
          <Button onClick={onClear}>Clear search and filters</Button>
        </>
      }
    />
  );
}

function ListSkeleton() {
  return (
    <div aria-hidden="true">
      {Array.from({ length: 6 }, (_, index) => (
        <div key={index} className="border-b border-line px-3 py-3.5">
          <Skeleton className="h-4 w-2/5" />
          <Skeleton className="mt-2.5 h-3.5 w-4/5" />
          <Skeleton className="mt-2.5 h-3 w-1/4" />
        </div>
      ))}
    </div>
  );
}

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

/** Load the next page when the end of the list comes near the view. Returns the ref of the end. */
function useNearEnd(active: boolean, load: () => void) {
  const end = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const node = end.current;
    if (!active || !node || typeof IntersectionObserver !== "function") return;
    const observer = new IntersectionObserver(
      (entries) => entries.some((entry) => entry.isIntersecting) && load(),
      { rootMargin: "600px" },
    );
    observer.observe(node);
    return () => observer.disconnect();
  }, [active, load]);
  return end;
}

export default function TicketsPage() {
  usePageTitle("Tickets");
  const { filter, change } = useTicketFilter();
  const input = useRef<HTMLInputElement>(null);
  const list = useInfiniteQuery({ ...ticketListQuery(filter), placeholderData: keepPreviousData });
  const { data: facets } = useQuery(facetsQuery);
  const items = list.data?.pages.flatMap((page) => page.data) ?? [];
  const current = useCursor(items);
  const slow = useDelayed(list.isPending);
  const filtered = filter.q !== "" || filter.category !== "" || filter.tags.length > 0;
  const { fetchNextPage } = list;
  const loadMore = useCallback(() => void fetchNextPage({ cancelRefetch: false }), [fetchNextPage]);
  const more = list.hasNextPage && !list.isFetchingNextPage && !list.isFetchNextPageError;
  const end = useNearEnd(more, loadMore);
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
        {list.data && items.length > 0 ? summary.join(" · ") : ""}
        {list.isRefetchError && <span className="text-warn"> · could not refresh, retrying</span>}
      </p>
      {list.isError && !list.data ? (
        <Failure
          title="The tickets could not be loaded"
          error={list.error}
          onRetry={() => void list.refetch()}
        />
      ) : list.isPending ? (
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
