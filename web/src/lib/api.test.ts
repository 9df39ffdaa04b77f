// Problems, links and paths of the API client.
import { afterEach, expect, test, vi } from "vitest";
import { nextLink, Problem, request, ticketsPath } from "./api";

afterEach(() => vi.unstubAllGlobals());

test("the next page is found in a Link header, and stays on this origin", () => {
  expect(nextLink('</tickets?cursor=a%2Cb&limit=2>; rel="next"')).toBe(
    "/tickets?cursor=a%2Cb&limit=2",
  );
  expect(nextLink('<https://elsewhere.example/x?y=1>; rel=next, </p>; rel="prev"')).toBe("/x?y=1");
  expect(nextLink('</p>; rel="prev"')).toBeNull();
  expect(nextLink(null)).toBeNull();
});

test("a filter becomes a path", () => {
  expect(ticketsPath({ q: "a b", category: "guide", tags: ["x", "y&z"] }, 5)).toBe(
    "/tickets?q=a+b&category=guide&tag=x&tag=y%26z&limit=5",
  );
});

test("a problem carries its sentence and its fields", async () => {
  const body = { status: 422, detail: "Look again.", errors: [{ field: "title", message: "No." }] };
  vi.stubGlobal("fetch", async () => new Response(JSON.stringify(body), { status: 422 }));
  const error = await request("/tickets", { method: "POST", body: {} }).catch((e: unknown) => e);
  expect(error).toBeInstanceOf(Problem);
  expect(error).toMatchObject({ status: 422, message: "Look again.", errors: body.errors });
});

test("an answer that is no JSON still gives a sentence", async () => {
  vi.stubGlobal("fetch", async () => new Response("<html>", { status: 503 }));
  await expect(request("/tickets")).rejects.toThrow("The server is not ready yet.");
});

test("a lost network is a problem with status 0", async () => {
  vi.stubGlobal("fetch", () => Promise.reject(new TypeError("Failed to fetch")));
  await expect(request("/tickets")).rejects.toMatchObject({ status: 0 });
});
