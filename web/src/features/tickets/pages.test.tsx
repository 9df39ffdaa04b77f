// The ticket pages in a browser DOM, with the server replaced at `fetch`.
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { render, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { MemoryRouter, Route, Routes } from "react-router";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { ticketKeys } from "@/lib/api/queries";
import type { TicketItem } from "@/lib/api/types";
import NewTicketPage from "./form/new-ticket-page";
import { addTags } from "./form/tag-input";
import TicketsPage from "./list/tickets-page";
import { applyTicketEvent } from "./model/ticket-events";

const item = (id: string, part: Partial<TicketItem> = {}): TicketItem => ({
  id,
  title: `Ticket ${id}`,
  excerpt: "An excerpt",
  category: "guide",
  tags: ["http"],
  ai_summary: `Summary of ${id}`,
  summary_status: "ready",
  created_at: "2026-11-20T12:00:00Z",
  updated_at: "2026-11-20T12:00:00Z",
  author_id: "u1",
  transcript_count: 0,
  ...part,
});

type Handler = (url: URL, request: Request) => Response | undefined | Promise<Response | undefined>;
let handler: Handler;
let client: QueryClient;
const json = (body: unknown, status = 200, headers = {}) =>
  new Response(JSON.stringify(body), { status, headers });

beforeEach(() => {
  handler = () => undefined;
  client = new QueryClient({ defaultOptions: { queries: { retry: false } } });
  vi.stubGlobal("fetch", async (request: Request) => {
    const url = new URL(request.url);
    const answer = await handler(url, request);
    if (answer) return answer;
    if (url.pathname === "/tickets/facets") {
      return json({
        categories: [{ name: "guide", count: 2 }],
        tags: [{ name: "http", count: 2 }],
      });
    }
    return json([]);
  });
});
afterEach(() => vi.unstubAllGlobals());

function show(path: string) {
  return render(
    <QueryClientProvider client={client}>
      <MemoryRouter initialEntries={[path]}>
        <Routes>
          <Route path="/tickets" element={<TicketsPage />} />
          <Route path="/tickets/new" element={<NewTicketPage />} />
          <Route path="/tickets/:id" element={<p>the detail page</p>} />
        </Routes>
      </MemoryRouter>
    </QueryClientProvider>,
  );
}

const onList =
  (answer: () => Response): Handler =>
  (url, { method }) =>
    url.pathname === "/tickets" && method === "GET" ? answer() : undefined;

test("the list shows summaries, states and marked words", async () => {
  handler = onList(() =>
    json([
      item("a", { title: "Image upload error" }),
      item("b", { ai_summary: null, summary_status: "pending" }),
      item("c", { ai_summary: null, summary_status: "failed" }),
    ]),
  );
  show("/tickets?q=upload");
  expect(await screen.findByText("upload")).toBeInTheDocument();
  expect(screen.getByText("upload").tagName).toBe("MARK");
  expect(screen.getByText("Summarising…")).toBeInTheDocument();
  expect(screen.getByRole("button", { name: "Retry" })).toBeInTheDocument();
  expect(screen.getByText(/3 tickets · best match first/)).toBeInTheDocument();
});

test("the list is filtered by the URL, and chips change the filter", async () => {
  const queries: string[] = [];
  handler = (url) => {
    if (url.pathname === "/tickets") queries.push(url.search);
    return url.pathname === "/tickets" ? json([item("a")]) : undefined;
  };
  show("/tickets?category=guide&tag=x");
  await screen.findByText("Ticket a");
  expect(queries[0]).toBe("?category=guide&tag=x&limit=30");
  await userEvent.click(screen.getByRole("button", { name: /#http/ }));
  await waitFor(() => expect(queries.at(-1)).toBe("?category=guide&tag=http&tag=x&limit=30"));
});

test("an empty helpdesk offers samples, an empty search offers the tutor", async () => {
  show("/tickets");
  expect(await screen.findByRole("button", { name: "Add sample tickets" })).toBeInTheDocument();
  await userEvent.type(screen.getByRole("searchbox"), "zebra");
  expect(await screen.findByRole("link", { name: "Ask the tutor" })).toBeInTheDocument();
  expect(screen.getByRole("link", { name: /Create ticket with this title/ })).toHaveAttribute(
    "href",
    "/tickets/new?title=zebra",
  );
});

test("a failure gives its reason, and Retry loads", async () => {
  let fails = true;
  handler = onList(() =>
    fails ? json({ detail: "The database sleeps." }, 503) : json([item("a")]),
  );
  show("/tickets");
  expect(await screen.findByText("The database sleeps.")).toBeInTheDocument();
  fails = false;
  await userEvent.click(screen.getByRole("button", { name: "Retry" }));
  expect(await screen.findByText("Ticket a")).toBeInTheDocument();
});

test("events add tickets on top, change them and remove them", async () => {
  handler = onList(() => json([item("a")]));
  show("/tickets");
  await screen.findByText("Ticket a");
  const created = item("b", { created_at: "2026-11-21T12:00:00Z" });
  const rows = () => screen.getAllByRole("heading", { level: 2 }).map((node) => node.textContent);
  applyTicketEvent(client, { event: "created", data: JSON.stringify(created) });
  applyTicketEvent(client, { event: "created", data: JSON.stringify(created) });
  await waitFor(() => expect(rows()).toEqual(["Ticket b", "Ticket a"]));
  const changed = { ...created, title: "Renamed" };
  applyTicketEvent(client, { event: "updated", data: JSON.stringify(changed) });
  await waitFor(() => expect(rows()).toEqual(["Renamed", "Ticket a"]));
  applyTicketEvent(client, { event: "deleted", data: '{"id":"b"}' });
  await waitFor(() => expect(rows()).toEqual(["Ticket a"]));
  applyTicketEvent(client, { event: "created", data: "no json" });
  expect(client.getQueryState(ticketKeys.facets)).toBeDefined();
});

test("j, k and Enter move through the list", async () => {
  handler = onList(() => json([item("a"), item("b")]));
  show("/tickets");
  await screen.findByText("Ticket a");
  await userEvent.keyboard("jjk");
  expect(document.querySelector("[data-ticket=a]")?.className).toContain("inset");
  await userEvent.keyboard("{Enter}");
  expect(await screen.findByText("the detail page")).toBeInTheDocument();
});

test("problems appear at their fields, nothing is cleared, and the draft survives", async () => {
  handler = (url, { method }) =>
    url.pathname === "/tickets" && method === "POST"
      ? json({ detail: "Look again.", errors: [{ field: "title", message: "Taken." }] }, 422)
      : undefined;
  show("/tickets/new");
  await userEvent.type(screen.getByLabelText("Title"), "My title");
  await userEvent.type(screen.getByLabelText("Description"), "Some words");
  await userEvent.type(screen.getByLabelText("Tags"), "Http,  #Big Tag,");
  await userEvent.keyboard("{Control>}{Enter}{/Control}");
  expect(await screen.findByText("Taken.")).toBeInTheDocument();
  await waitFor(() => expect(screen.getByLabelText("Title")).toHaveFocus());
  expect(screen.getByLabelText("Title")).toHaveValue("My title");
  expect(screen.getByLabelText("Description")).toHaveValue("Some words");
  expect(screen.getByText("big tag")).toBeInTheDocument();
  await waitFor(() =>
    expect(localStorage.getItem("tutordesk.draft.ticket.new")).toContain("My title"),
  );
});

test("a saved ticket opens, and its draft is gone", async () => {
  const bodies: unknown[] = [];
  handler = async (url, request) => {
    if (url.pathname !== "/tickets" || request.method !== "POST") return undefined;
    bodies.push(await request.json());
    return json({ ...item("n"), description: "Some words" }, 201);
  };
  show("/tickets/new?title=From%20search");
  await userEvent.type(screen.getByLabelText("Description"), "Some words");
  await userEvent.click(screen.getByRole("button", { name: /Create ticket/ }));
  expect(await screen.findByText("the detail page")).toBeInTheDocument();
  const client_ticket_id = expect.any(String);
  expect(bodies).toEqual([
    { title: "From search", description: "Some words", tags: [], client_ticket_id },
  ]);
  expect(Object.keys(localStorage)).toEqual([]);
});

test("a ticket that is sent again has the same id, also after a reload, until it is changed", async () => {
  const ids: string[] = [];
  handler = async (url, request) => {
    if (url.pathname !== "/tickets" || request.method !== "POST") return undefined;
    ids.push((await request.json()).client_ticket_id);
    return json({ detail: "The database does not answer." }, 503);
  };
  const send = async () => {
    const sent = ids.length;
    await userEvent.click(screen.getByRole("button", { name: /Create ticket/ }));
    await waitFor(() => expect(ids).toHaveLength(sent + 1));
    await waitFor(() =>
      expect(screen.getByRole("button", { name: /Create ticket/ })).toBeEnabled(),
    );
  };
  const first = show("/tickets/new?title=From%20search");
  await userEvent.type(screen.getByLabelText("Description"), "Some words");
  await send();
  await send();
  first.unmount();
  show("/tickets/new?title=From%20search");
  await send();
  await userEvent.type(screen.getByLabelText("Description"), " more");
  await send();
  expect(new Set(ids.slice(0, 3)).size).toBe(1);
  expect(ids[3]).not.toBe(ids[0]);
});

test("hints appear without a request to the server", async () => {
  show("/tickets/new");
  await userEvent.click(screen.getByRole("button", { name: /Create ticket/ }));
  expect(await screen.findByText("Give the ticket a title.")).toBeInTheDocument();
  expect(screen.getByText("Describe it in a sentence or more.")).toBeInTheDocument();
});

test("tags are trimmed, folded, unique and bounded", () => {
  expect(addTags(["a"], " A, b  c ,#d,")).toEqual(["a", "b c", "d"]);
  expect(addTags([], "x".repeat(41))).toEqual([]);
  expect(
    addTags(
      Array.from({ length: 20 }, (_, i) => `t${i}`),
      "more",
    ),
  ).toHaveLength(20);
});
