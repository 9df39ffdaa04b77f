// The state of a ticket's AI summary in words: pending, failed with Retry, or none.
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { api } from "@/lib/api/client";
import { ticketKeys } from "@/lib/api/queries";
import type { SummaryStatus } from "@/lib/api/types";
import { toast } from "@/ui/toast";
import { markPending } from "./list-cache";

/** Ask the server for a new summary, and show it as pending at once. */
export function useRetrySummary(id: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: () => api.refreshSummary(id),
    onMutate: () => markPending(client, id),
    onError: (error) => {
      toast(`Could not start the summary. ${error.message}`);
      void client.invalidateQueries({ queryKey: ticketKeys.lists });
      void client.invalidateQueries({ queryKey: ticketKeys.ticket(id) });
    },
  });
}

interface SummaryStateProps {
  id: string;
  status: SummaryStatus;
}

/** Shown in place of a summary that does not exist yet. */
export function SummaryState({ id, status }: SummaryStateProps) {
  const retry = useRetrySummary(id);
  if (status === "failed") {
    return (
      <span className="meta text-warn">
        Could not summarise ·{" "}
        <button
          type="button"
          className="link relative z-10 min-h-6"
          onClick={(event) => {
            event.stopPropagation();
            retry.mutate();
          }}
        >
          Retry
        </button>
      </span>
    );
  }
  return <span className="meta">{status === "pending" ? "Summarising…" : "No summary"}</span>;
}
