// Sends calls: openapi-fetch with the generated types, one repeat when the server cleared a bad cookie, and a `Problem`
// for each call that is refused or lost.
import createClient from "openapi-fetch";
import { seeEpoch } from "./epoch";
import { problemOf, unreachable } from "./problem";
import { seeWrite } from "./read-only";
import type { paths } from "./schema";

async function fetchOnce(request: Request): Promise<Response> {
  const response = await fetch(request).catch((error: unknown) => {
    throw error instanceof DOMException && error.name === "AbortError" ? error : unreachable();
  });
  seeEpoch(response.headers.get("Tutordesk-Epoch"));
  if (request.method !== "GET") seeWrite(response.status);
  return response;
}

/** Send a request, and repeat it once after 401: with that answer the server cleared a bad cookie. */
async function send(request: Request): Promise<Response> {
  const again = request.clone();
  const response = await fetchOnce(request);
  return response.status === 401 ? fetchOnce(again) : response;
}

export const server = createClient<paths>({ fetch: send, headers: { Accept: "application/json" } });

/** What openapi-fetch resolves with: `data` when the call was accepted, else `error`. */
type Outcome = { data?: unknown; error?: unknown; response: Response };
type Accepted<Call extends Outcome> = Extract<Call, { data: unknown }>;

const isAccepted = <Call extends Outcome>(outcome: Call): outcome is Accepted<Call> =>
  !("error" in outcome);

async function accepted<Call extends Outcome>(call: Promise<Call>): Promise<Accepted<Call>> {
  const outcome = await call;
  if (!isAccepted(outcome)) throw problemOf(outcome.response, outcome.error);
  return outcome;
}

/** Return the body of an answer. Raises Problem. */
export async function dataOf<Call extends Outcome>(
  call: Promise<Call>,
): Promise<Accepted<Call>["data"]> {
  return (await accepted(call)).data;
}

/** Wait for an answer without a body. Raises Problem. */
export async function done<Call extends Outcome>(call: Promise<Call>): Promise<void> {
  await accepted(call);
}

/** The query of another page of the same list. */
export type PageQuery = Record<string, string>;

export interface Page<Data> {
  data: Data;
  /** From the Link header. */
  next: PageQuery | null;
  /** The page before, where a list was entered in its middle. */
  previous: PageQuery | null;
}

/** Return the query of the rel="next" or rel="prev" target in a Link header, or null if it has none. */
function pageLink(header: string | null, rel: "next" | "prev"): PageQuery | null {
  for (const link of header?.split(/,(?=\s*<)/) ?? []) {
    const match = /<([^>]+)>\s*;(?:.*;)?\s*rel="?(next|prev)"?/i.exec(link);
    if (!match?.[1] || match[2]?.toLowerCase() !== rel) continue;
    return Object.fromEntries(new URL(match[1], location.href).searchParams);
  }
  return null;
}

/** Return the body of an answer with its links to other pages. Raises Problem. */
export async function pageOf<Call extends Outcome>(
  call: Promise<Call>,
): Promise<Page<Accepted<Call>["data"]>> {
  const { data, response } = await accepted(call);
  const links = response.headers.get("Link");
  return { data, next: pageLink(links, "next"), previous: pageLink(links, "prev") };
}

/** The options of a call whose answer is a stream of events. */
export const STREAM: { headers: { Accept: string }; parseAs: "stream" } = {
  headers: { Accept: "text/event-stream" },
  parseAs: "stream",
};

/** Return an answer whose body is yet to be read. Raises Problem. */
export async function streamOf<Call extends Outcome>(call: Promise<Call>): Promise<Response> {
  return (await accepted(call)).response;
}
