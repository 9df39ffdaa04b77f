// What calls send, and how refusals are reported.
import { afterEach, expect, test, vi } from "vitest";
import { pathOf } from "@/test/requests";
import { api } from "./client";
import { Problem } from "./problem";

afterEach(() => vi.unstubAllGlobals());

/** Replace the server; returns the requests that it was sent. */
function answerWith(...answers: Response[]): Request[] {
  const requests: Request[] = [];
  vi.stubGlobal("fetch", async (request: Request) => {
    requests.push(request);
    return answers[requests.length - 1];
  });
  return requests;
}

const ticket = { title: "", description: "", category: "", tags: [] };
const json = (body: unknown, init?: ResponseInit) => new Response(JSON.stringify(body), init);

test("a page has the queries of its next and previous pages, whatever host their links name", async () => {
  const next = '</tickets?cursor=a%2Cb&limit=2>; rel="next"';
  const both = '<https://elsewhere.example/x?y=1>; rel=next, </p?after=3>; rel="prev"';
  const previous = '</p>; rel="prev"';
  answerWith(...[next, both, previous].map((Link) => json([], { headers: { Link } })), json([]));
  expect(await api.listTickets({})).toMatchObject({
    next: { cursor: "a,b", limit: "2" },
    previous: null,
  });
  expect(await api.listTickets({})).toMatchObject({ next: { y: "1" }, previous: { after: "3" } });
  expect(await api.listTickets({})).toMatchObject({ next: null, previous: {} });
  expect(await api.listTickets({})).toMatchObject({ next: null, previous: null });
});

test("a filter becomes a query", async () => {
  const requests = answerWith(json([]));
  await api.listTickets({ q: "a b", category: "guide", tag: ["x", "y&z"], limit: 5 });
  expect(requests.map(pathOf)).toEqual(["/tickets?q=a%20b&category=guide&tag=x&tag=y%26z&limit=5"]);
  expect(requests[0]?.headers.get("Accept")).toBe("application/json");
});

test("a problem carries its sentence and its fields", async () => {
  const body = { status: 422, detail: "Look again.", errors: [{ field: "title", message: "No." }] };
  answerWith(json(body, { status: 422 }));
  const error = await api.createTicket(ticket, "once").catch((e: unknown) => e);
  expect(error).toBeInstanceOf(Problem);
  expect(error).toMatchObject({ status: 422, message: "Look again.", errors: body.errors });
});

test("a problem carries the seconds to wait", async () => {
  answerWith(json({}, { status: 429, headers: { "Retry-After": "7" } }));
  await expect(api.readMe()).rejects.toMatchObject({ status: 429, retryAfter: 7 });
});

test("a refusal that is not JSON still has a sentence", async () => {
  answerWith(new Response("<html>", { status: 503 }));
  await expect(api.listTickets({})).rejects.toThrow("The server is not ready yet.");
});

test("a lost network is a problem with status 0", async () => {
  vi.stubGlobal("fetch", () => Promise.reject(new TypeError("Failed to fetch")));
  await expect(api.listTickets({})).rejects.toMatchObject({ status: 0 });
});

test("an abort stays an abort", async () => {
  const abort = new DOMException("aborted", "AbortError");
  vi.stubGlobal("fetch", () => Promise.reject(abort));
  await expect(api.listTickets({})).rejects.toBe(abort);
});

test("a call that was refused for its cookie is sent once more, with its body", async () => {
  const requests = answerWith(json({}, { status: 401 }), json({ name: "Ana" }));
  await api.updateMe("Ana");
  const bodies = await Promise.all(requests.map((request) => request.json()));
  expect(bodies).toEqual([{ name: "Ana" }, { name: "Ana" }]);
});

test("a second refusal is a problem", async () => {
  const requests = answerWith(json({}, { status: 401 }), json({}, { status: 401 }));
  await expect(api.readMe()).rejects.toMatchObject({ status: 401 });
  expect(requests).toHaveLength(2);
});
