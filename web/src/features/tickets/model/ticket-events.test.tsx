// Events that arrive before the page knows their ticket, or before its stream is connected, are not lost.
import { QueryClient, QueryClientProvider, useQuery } from "@tanstack/react-query";
import { render, screen, waitFor } from "@testing-library/react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { ticketQuery } from "@/lib/api/queries";
import type { Ticket } from "@/lib/api/types";
import { showSaved } from "./list-cache";
import { applyTicketEvent, useTicketEvents } from "./ticket-events";

const PENDING: Ticket = {
  id: "a",
  title: "Image upload error",
  description: "413",
  category: "guide",
  tags: [],
  ai_summary: null,
  summary_status: "pending",
  summary_model: null,
  summary_at: null,
  created_at: "2026-11-20T12:00:00Z",
  updated_at: "2026-11-20T12:00:00Z",
  author_id: "u1",
  transcript_count: 0,
};
const READY: Ticket = { ...PENDING, ai_summary: "Uploads fail.", summary_status: "ready" };

let client: QueryClient;
let onServer: Ticket;
let connect: () => void;

beforeEach(() => {
  client = new QueryClient({ defaultOptions: { queries: { retry: false, staleTime: 5_000 } } });
  onServer = PENDING;
  const connected = new Promise<void>((resolve) => {
    connect = resolve;
  });
  vi.stubGlobal("fetch", async (request: Request) => {
    if (!request.url.endsWith("/tickets/events")) return Response.json(onServer);
    await connected;
    const body = new ReadableStream();
    return new Response(body, { headers: { "Content-Type": "text/event-stream" } });
  });
});
afterEach(() => {
  client.clear();
  vi.unstubAllGlobals();
});

function Summary() {
  const { data } = useQuery(ticketQuery("a"));
  return <p>{data && (data.ai_summary ?? "Summarising…")}</p>;
}

function Page() {
  useTicketEvents();
  return <Summary />;
}

const show = (page: React.ReactElement) =>
  render(<QueryClientProvider client={client}>{page}</QueryClientProvider>);

test("a summary that is ready before the stream is connected is shown", async () => {
  show(<Page />);
  await screen.findByText("Summarising…");
  onServer = READY;
  connect();
  await screen.findByText("Uploads fail.");
});

test("a summary whose event comes before the answer to the creation is shown", async () => {
  onServer = READY;
  applyTicketEvent(client, {
    event: "updated",
    data: JSON.stringify({ ...READY, excerpt: "413" }),
  });
  showSaved(client, PENDING);
  show(<Summary />);
  expect(screen.getByText("Summarising…")).toBeTruthy();
  await waitFor(() => screen.getByText("Uploads fail."));
});
