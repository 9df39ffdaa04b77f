// /tickets/:id: the ticket, its AI summary, and the ways to ask about it. Its author and admins can edit and delete
// it. Delete offers Undo, because the server keeps deleted tickets.
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate, useParams } from "react-router";
import { api } from "@/lib/api/client";
import { sentenceOf } from "@/lib/api/problem";
import { meQuery, ticketKeys, ticketQuery } from "@/lib/api/queries";
import type { Ticket } from "@/lib/api/types";
import { useHotkeys } from "@/lib/browser/hotkeys";
import { usePageTitle } from "@/lib/browser/page";
import { Markdown } from "@/markdown/markdown";
import { Button, buttonClass } from "@/ui/button";
import { Failure, Skeleton, useDelayed } from "@/ui/states";
import { Time } from "@/ui/time";
import { toast } from "@/ui/toast";
import { isMissing, removeFromLists } from "../model/list-cache";
import { TicketMissing } from "../model/ticket-missing";
import { AskBox } from "./ask-box";
import { SummaryBox } from "./summary-box";

function OwnerActions({ ticket }: { ticket: Ticket }) {
  const { data: me } = useQuery(meQuery);
  const client = useQueryClient();
  const navigate = useNavigate();
  const mayEdit = me && (me.role === "admin" || (!!me.id && me.id === ticket.author_id));
  const restore = () => {
    api
      .restoreTicket(ticket.id)
      .then(() => {
        void client.invalidateQueries({ queryKey: ticketKeys.lists });
        void client.invalidateQueries({ queryKey: ticketKeys.ticket(ticket.id) });
        toast("Ticket restored.");
      })
      .catch((error: unknown) => toast(`Could not restore the ticket. ${sentenceOf(error)}`));
  };
  const remove = useMutation({
    mutationFn: () => api.deleteTicket(ticket.id),
    onSuccess: () => {
      removeFromLists(client, ticket.id);
      navigate("/tickets", { replace: true });
      toast("Ticket deleted.", { label: "Undo", run: restore });
    },
    onError: (error) => toast(`Could not delete the ticket. ${sentenceOf(error)}`),
  });
  useHotkeys({ e: () => navigate(`/tickets/${ticket.id}/edit`) }, Boolean(mayEdit));
  if (!mayEdit) return null;
  return (
    <div className="flex gap-2">
      <Link to={`/tickets/${ticket.id}/edit`} className={buttonClass("plain", "lg:flex-1")}>
        Edit
      </Link>
      <Button
        weight="danger"
        className="lg:flex-1"
        disabled={remove.isPending}
        onClick={() => remove.mutate()}
      >
        {remove.isPending ? "Deleting…" : "Delete"}
      </Button>
    </div>
  );
}

function TicketMeta({ ticket }: { ticket: Ticket }) {
  const isEdited = Date.parse(ticket.updated_at) - Date.parse(ticket.created_at) > 60_000;
  return (
    <p className="meta mb-5 flex flex-wrap items-center gap-x-3.5">
      <Time at={ticket.created_at} />
      {ticket.tags.map((tag) => (
        <Link
          key={tag}
          dir="auto"
          to={`/tickets?tag=${encodeURIComponent(tag)}`}
          className="inline-block min-h-6 leading-6 break-all hover:text-text hover:underline"
        >
          #{tag}
        </Link>
      ))}
      {isEdited && (
        <span>
          edited <Time at={ticket.updated_at} />
        </span>
      )}
    </p>
  );
}

function TicketView({ ticket }: { ticket: Ticket }) {
  const category = `/tickets?category=${encodeURIComponent(ticket.category)}`;
  return (
    <article className="mx-auto max-w-[980px] px-4 pt-4 pb-16 md:px-7 md:pt-[22px]">
      <nav aria-label="Breadcrumb" className="meta">
        <Link
          to="/tickets"
          className="inline-block min-h-6 leading-6 hover:text-text hover:underline"
        >
          Tickets
        </Link>
        {ticket.category && (
          <>
            {" / "}
            <Link
              to={category}
              className="inline-block min-h-6 leading-6 hover:text-text hover:underline"
            >
              <bdi>{ticket.category}</bdi>
            </Link>
          </>
        )}
      </nav>
      <h1
        dir="auto"
        className="mt-1 mb-1.5 max-w-[34em] text-[25px] leading-[1.25] font-[650] tracking-tight break-words text-balance"
      >
        {ticket.title}
      </h1>
      <TicketMeta ticket={ticket} />
      <div className="grid gap-x-11 gap-y-5 lg:grid-cols-[minmax(0,68ch)_minmax(0,264px)] lg:grid-rows-[auto_1fr]">
        <SummaryBox ticket={ticket} />
        <aside className="grid content-start gap-3 lg:sticky lg:top-6 lg:col-start-2 lg:row-span-2 lg:row-start-1 lg:gap-5 lg:self-start">
          <h2 className="sr-only">Actions</h2>
          <AskBox ticketId={ticket.id} />
          <OwnerActions ticket={ticket} />
        </aside>
        <div className="min-w-0">
          <h2 className="sr-only">Description</h2>
          <Markdown text={ticket.description} />
        </div>
      </div>
    </article>
  );
}

export default function TicketPage() {
  const { id = "" } = useParams();
  const ticket = useQuery({ ...ticketQuery(id), retry: 1 });
  usePageTitle(ticket.data?.title ?? "Ticket");
  const slow = useDelayed(ticket.isPending);
  if (ticket.isError && isMissing(ticket.error)) return <TicketMissing />;
  if (ticket.data) return <TicketView key={id} ticket={ticket.data} />;
  if (ticket.isError) {
    return (
      <Failure
        heading="h1"
        title="The ticket could not be loaded"
        error={ticket.error}
        onRetry={() => void ticket.refetch()}
      />
    );
  }
  return (
    slow && (
      <div aria-hidden="true" className="mx-auto max-w-[980px] px-4 pt-6 md:px-7">
        <Skeleton className="h-7 w-2/3" />
        <Skeleton className="mt-4 h-3 w-1/3" />
        <Skeleton className="mt-6 h-24 w-full max-w-[68ch]" />
        <Skeleton className="mt-6 h-48 w-full max-w-[68ch]" />
      </div>
    )
  );
}
