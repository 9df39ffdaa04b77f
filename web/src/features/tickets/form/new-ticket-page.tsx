// /tickets/new: an empty form, or one with a title that a search did not find (`?title=`).
import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { useNavigate, useSearchParams } from "react-router";
import { api } from "@/lib/api/client";
import { meQuery } from "@/lib/api/queries";
import type { TicketInput } from "@/lib/api/types";
import { isTouch, usePageTitle } from "@/lib/browser/page";
import { addToLists, showSaved } from "../model/list-cache";
import { clientTicketId, forgetClientTicketId } from "./client-ticket-id";
import { TicketForm } from "./ticket-form";

const ADVICE = [
  "One problem, or one thing to learn.",
  "What you did, what you saw, what you expected.",
  "The exact message, in a code block.",
  "What solved it, if you know already.",
];

export default function NewTicketPage() {
  usePageTitle("New ticket");
  const [params] = useSearchParams();
  const client = useQueryClient();
  const navigate = useNavigate();
  const [initial] = useState<TicketInput>(() => ({
    title: params.get("title") ?? "",
    description: "",
    category: "",
    tags: [],
  }));
  const draftKey = initial.title ? `ticket.new.${initial.title}` : "ticket.new";
  useEffect(() => {
    if (!isTouch()) document.querySelector<HTMLInputElement>("input[name=title]")?.focus();
  }, []);
  return (
    <div className="mx-auto max-w-[980px] px-4 pt-4 pb-16 md:px-7 md:pt-[22px]">
      <h1 className="mb-4 text-[25px] leading-tight font-[650] tracking-tight">New ticket</h1>
      <div className="grid gap-x-11 gap-y-8 lg:grid-cols-[minmax(0,68ch)_minmax(0,264px)]">
        <TicketForm
          draftKey={draftKey}
          initial={initial}
          submitLabel="Create ticket"
          cancelTo="/tickets"
          save={(values) => api.createTicket(values, clientTicketId(draftKey, values))}
          onSaved={(ticket) => {
            forgetClientTicketId(draftKey);
            void client.invalidateQueries(meQuery); // a visitor gets a user with the first write
            showSaved(client, ticket);
            addToLists(client, { ...ticket, excerpt: ticket.description.slice(0, 280) });
            navigate(`/tickets/${ticket.id}`, { replace: true });
          }}
        />
        <aside className="lg:pt-0.5">
          <h2 className="meta mb-2 font-semibold">What makes a good ticket</h2>
          <ul className="grid gap-1.5 text-[14px] leading-snug text-soft">
            {ADVICE.map((line) => (
              <li key={line}>{line}</li>
            ))}
          </ul>
        </aside>
      </div>
    </div>
  );
}
