// Problems, links and paths of the API client.
import { afterEach, expect, test, vi } from "vitest";
import { Problem, pageLink, request, ticketsPath } from "./client";

afterEach(() => vi.unstubAllGlobals());

test("the pages beside this one are found in a Link header, and stays on this origin", () => {
  expect(pageLink('</tickets?cursor=a%2Cb&limit=2>; rel="next"', "next")).toBe(
    "/tickets?cursor=a%2Cb&limit=2",
  );
  const both = '<https://elsewhere.example/x?y=1>; rel=next, </p?after=3>; rel="prev"';
  expect(pageLink(both, "next")).toBe("/x?y=1");
  expect(pageLink(both, "prev")).toBe("/p?after=3");
  expect(pageLink('</p>; rel="prev"', "next")).toBeNull();
  expect(pageLink(null, "next")).toBeNull();
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
