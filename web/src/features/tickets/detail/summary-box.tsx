// The AI summary on a ticket's page, marked as such, with its model and time.
import type { Ticket } from "@/lib/api/types";
import { Button } from "@/ui/button";
import { Time } from "@/ui/time";
import { useRetrySummary } from "../model/summary-state";

/** Return "gemini-3.8-flash" for "gemini:gemini-3.8-flash". */
const shortModel = (model: string): string => model.split(":").at(-1) || model;

export function SummaryBox({ ticket }: { ticket: Ticket }) {
  const retry = useRetrySummary(ticket.id);
  const { summary_status: status } = ticket;
  return (
    <section
      aria-label="AI summary"
      className="min-h-[84px] min-w-0 rounded-e-md border border-s-2 border-line border-s-accent bg-panel px-3.5 py-3"
    >
      <div className="meta mb-1 flex flex-wrap justify-between gap-x-4">
        <h2>AI summary</h2>
        {status === "ready" && (
          <span>
            {ticket.summary_model && shortModel(ticket.summary_model)}
            {ticket.summary_model && ticket.summary_at && " · "}
            {ticket.summary_at && <Time at={ticket.summary_at} />}
          </span>
        )}
      </div>
      <div role="status">
        {status === "pending" && <p className="text-dim">Summarising…</p>}
        {status === "failed" && (
          <p className="flex flex-wrap items-center gap-3 text-warn">
            Could not summarise. The ticket itself is saved.
            <Button disabled={retry.isPending} onClick={() => retry.mutate()}>
              Retry
            </Button>
          </p>
        )}
        {status === "ready" && (
          <p dir="auto" className="break-words text-pretty">
            {ticket.ai_summary}
          </p>
        )}
      </div>
    </section>
  );
}
