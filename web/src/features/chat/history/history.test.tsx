// The list of past chats, with the server replaced at `fetch`: days, search, renaming, late titles.
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { render, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { MemoryRouter } from "react-router";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { ChatSession } from "@/lib/api/types";
import { pathOf as pathOfRequest } from "@/test/requests";
import { rangesOf } from "../thread/use-jump-to-message";
import { History } from "./history";
import { pathOf } from "./history-row";
import { expectTitle } from "./refetch-title";

const row = (id: string, title: string, part: Partial<ChatSession> = {}): ChatSession => ({
  id,
  title,
  ticket_id: null,
  message_count: 2,
  created_at: new Date().toISOString(),
  updated_at: new Date().toISOString(),
  running_reply: null,
  ...part,
});
const json = (value: unknown, status = 200) => new Response(JSON.stringify(value), { status });

let answer: (method: string, path: string) => Response;
let calls: string[] = [];
beforeEach(() => {
  calls = [];
  vi.stubGlobal("fetch", async (request: Request) => {
    const { method } = request;
    const path = pathOfRequest(request);
    calls.push(`${method} ${path}`);
    return answer(method, path);
  });
});
afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

function show(path = "/chat") {
  const client = new QueryClient({ defaultOptions: { queries: { retry: false } } });
  render(
    <QueryClientProvider client={client}>
      <MemoryRouter initialEntries={[path]}>
        <History ticketId={null} sessionId="s1" onChoose={() => undefined} />
      </MemoryRouter>
    </QueryClientProvider>,
  );
  return userEvent.setup();
}

test("chats are grouped by day, with their length and running answers", async () => {
  const old = new Date(Date.now() - 3 * 86_400_000).toISOString();
  answer = () =>
    json([
      row("s1", "Proxies", { message_count: 1 }),
      row("s2", "Fractions", { running_reply: { id: "r2" } }),
      row("s3", "Backups", { updated_at: old }),
    ]);
  show();
  const today = await screen.findByRole("region", { name: "Today" });
  const links = within(today).getAllByRole("link");
  expect(links[0]).toHaveTextContent(/Proxies1 message · just now/);
  expect(links[0]).toHaveAttribute("aria-current", "true");
  expect(links[1]).toHaveTextContent(/Fractionsanswering…/);
  expect(
    within(screen.getByRole("region", { name: "Last 7 days" })).getByText("Backups"),
  ).toBeVisible();
});

test("a search asks the server once, marks the words and leads to the message", async () => {
  const hit = { message_id: "m7", excerpt: "the proxy reads the size" };
  answer = (_, path) => json(path.includes("q=") ? [row("s2", "Uploads", { hit })] : []);
  const user = show();
  await user.type(await screen.findByRole("searchbox"), "prox");
  const link = await screen.findByRole("link", { name: /Uploads/ });
  expect(link).toHaveAttribute("href", "/chat?session=s2&m=m7&q=prox");
  expect(link.querySelector("mark")).toHaveTextContent("proxy");
  expect(calls.filter((call) => call.includes("q="))).toEqual(["GET /chat/sessions?q=prox"]);
});

test("a search without results is explained in a sentence", async () => {
  answer = () => json([]);
  show("/chat?q=zzz");
  expect(await screen.findByText(/None of your chats has “zzz”/)).toBeVisible();
});

test("a match in a title leads to the chat, not to a message", () => {
  const hit = { message_id: null, excerpt: "Uploads" };
  expect(pathOf(row("s2", "Uploads", { hit }), "upl")).toBe("/chat?session=s2&q=upl");
});

test("renaming keeps the typed text if the server refuses, and else shows the new name", async () => {
  let refused = true;
  answer = (method) => {
    if (method === "GET") return json([row("s1", refused ? "Proxies" : "Hops")]);
    return refused ? json({ detail: "The server is busy." }, 503) : json(row("s1", "Hops"));
  };
  const user = show();
  await user.click(await screen.findByRole("button", { name: "More for “Proxies”" }));
  await user.click(screen.getByText("Rename"));
  const field = screen.getByRole("textbox", { name: "Name of the chat" });
  await user.clear(field);
  await user.keyboard("{Enter}");
  expect(screen.getByRole("alert")).toHaveTextContent("Give the chat a name.");
  expect(calls.filter((call) => call.startsWith("PATCH"))).toEqual([]);
  await user.type(field, "Hops{Enter}");
  await waitFor(() => expect(screen.getByRole("alert")).toHaveTextContent("The server is busy."));
  expect(field).toHaveValue("Hops");
  refused = false;
  await user.keyboard("{Enter}");
  expect(await screen.findByRole("link", { name: /Hops/ })).toBeVisible();
});

test("the lists are read twice more after a first answer, and not after later answers", () => {
  vi.useFakeTimers();
  const client = new QueryClient();
  const read = vi.spyOn(client, "invalidateQueries");
  expectTitle(client, "s1");
  vi.advanceTimersByTime(1_600);
  expect(read).toHaveBeenCalledTimes(2); // the lists and the chat
  vi.advanceTimersByTime(10_000);
  expect(read).toHaveBeenCalledTimes(4);
  const page = { data: [row("s1", "Proxies", { message_count: 4 })], next: null, previous: null };
  client.setQueryData(["chat", "sessions"], { pages: [page], pageParams: [""] });
  expectTitle(client, "s1");
  const chat = { ...page, data: { ...row("s2", "Hops", { message_count: 3 }), messages: [] } };
  client.setQueryData(["chat", "session", "s2", null], { pages: [chat], pageParams: [""] });
  expectTitle(client, "s2");
  vi.advanceTimersByTime(10_000);
  expect(read).toHaveBeenCalledTimes(4);
});

test("matching words are ranges of the text, across its nodes", () => {
  const node = document.createElement("div");
  node.innerHTML = "<p>The <b>quokka</b> and other quokkas; a Quók.</p>";
  expect(rangesOf(node, "quok").map(String)).toEqual(["quokka", "quokkas", "Quók"]);
  expect(rangesOf(node, "")).toEqual([]);
});
