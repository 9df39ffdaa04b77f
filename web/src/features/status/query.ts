// What the server says about itself, read again every few seconds.
import { queryOptions } from "@tanstack/react-query";
import { api } from "@/lib/api/client";

const REFRESH_MS = 5_000;

export const statusQuery = queryOptions({
  queryKey: ["status"],
  queryFn: ({ signal }) => api.readStatus(signal),
  refetchInterval: REFRESH_MS,
});

export type Status = Awaited<ReturnType<typeof api.readStatus>>;
