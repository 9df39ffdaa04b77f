// The filter of the ticket list. It is stored in the URL, so links and the back button keep it.
import { useCallback, useMemo } from "react";
import { useSearchParams } from "react-router";
import type { TicketFilter } from "@/lib/api/types";

function readFilter(params: URLSearchParams): TicketFilter {
  return {
    q: (params.get("q") ?? "").trim(),
    category: params.get("category") ?? "",
    tags: [...new Set(params.getAll("tag"))].sort(),
  };
}

function writeFilter(filter: TicketFilter): URLSearchParams {
  const params = new URLSearchParams();
  if (filter.q) params.set("q", filter.q);
  if (filter.category) params.set("category", filter.category);
  for (const tag of filter.tags) params.append("tag", tag);
  return params;
}

export function useTicketFilter() {
  const [params, setParams] = useSearchParams();
  const filter = useMemo(() => readFilter(params), [params]);
  const change = useCallback(
    (part: Partial<TicketFilter>, replace = false) => {
      setParams((current) => writeFilter({ ...readFilter(current), ...part }), { replace });
    },
    [setParams],
  );
  return { filter, change };
}
