// /tickets/:id/edit: the ticket's form. Anybody can open it; the server decides who may save.
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useMemo, useRef } from "react";
import { Link, useNavigate, useParams } from "react-router";
import { api } from "@/lib/api/client";
import { ticketQuery } from "@/lib/api/queries";
import type { Ticket, TicketInput } from "@/lib/api/types";
import { usePageTitle } from "@/lib/browser/page";
import { Failure, Skeleton, useDelayed } from "@/ui/states";
import { isMissing, showSaved } from "../model/list-cache";
import { TicketMissing } from "../model/ticket-missing";
import { TicketForm } from "./ticket-form";

function EditForm({ ticket }: { ticket: Ticket }) {
  const client = useQueryClient();
  const navigate = useNavigate();
  // The ticket as it was when the form opened: a later change must never replace what is being written.
  const opened = useRef(ticket);
  const initial = useMemo<TicketInput>(
    () => ({
      title: opened.current.title,
      description: opened.current.description,
      category: opened.current.category,
      tags: opened.current.tags,
    }),
    [],
  );
  const isChanged =
    ticket.title !== initial.title ||
    ticket.description !== initial.description ||
    ticket.category !== initial.category;
  return (
    <>
      {isChanged && (
        <p role="status" className="mb-4 rounded-md bg-warn-bg px-3 py-2 text-warn">
          This ticket was changed while you were editing. Saving replaces that change.{" "}
          <Link className="underline" to={`/tickets/${ticket.id}`} target="_blank">
            View the ticket
          </Link>
        </p>
      )}
      <TicketForm
        draftKey={`ticket.${ticket.id}`}
        initial={initial}
        submitLabel="Save changes"
        cancelTo={`/tickets/${ticket.id}`}
        save={(values) => api.updateTicket(ticket.id, values)}
        onSaved={(saved) => {
          showSaved(client, saved);
          navigate(`/tickets/${saved.id}`, { replace: true });
        }}
      />
    </>
  );
}

export default function EditTicketPage() {
  const { id = "" } = useParams();
  const ticket = useQuery({ ...ticketQuery(id), retry: 1 });
  usePageTitle(ticket.data ? `Edit ${ticket.data.title}` : "Edit ticket");
  const slow = useDelayed(ticket.isPending);
  if (ticket.isError && isMissing(ticket.error)) return <TicketMissing />;
  return (
    <div className="mx-auto max-w-[980px] px-4 pt-4 pb-16 md:px-7 md:pt-[22px]">
      <h1 className="mb-4 text-[25px] leading-tight font-[650] tracking-tight">Edit ticket</h1>
      <div className="max-w-[68ch]">
        {ticket.data ? (
          <EditForm key={id} ticket={ticket.data} />
        ) : ticket.isError ? (
          <Failure
            title="The ticket could not be loaded"
            error={ticket.error}
            onRetry={() => void ticket.refetch()}
          />
        ) : (
          slow && <Skeleton className="h-64 w-full" />
        )}
      </div>
    </div>
  );
}
