// What the ticket list shows without tickets: samples for an empty helpdesk, ways on after a search, or a skeleton.
import { useMutation } from "@tanstack/react-query";
import { Link } from "react-router";
import { api } from "@/lib/api/client";
import { Button, buttonClass } from "@/ui/button";
import { Notice, Skeleton } from "@/ui/states";
import { toast } from "@/ui/toast";

export function NoTickets({ onAdded }: { onAdded: () => void }) {
  const add = useMutation({
    mutationFn: api.createSampleTickets,
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

export function NoMatches({ query, onClear }: { query: string; onClear: () => void }) {
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

export function ListSkeleton() {
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
