// Refused and failed requests (RFC 9457) as one kind of error, with a sentence that people can act on.
import type { FieldError, ProblemBody } from "./types";

/** A refused or failed request. `status` is 0 when the server could not be reached. */
export class Problem extends Error {
  constructor(
    readonly status: number,
    message: string,
    readonly type = "about:blank",
    readonly errors: FieldError[] = [],
    /** Seconds to wait, from Retry-After. */
    readonly retryAfter: number | null = null,
  ) {
    super(message);
    this.name = "Problem";
  }
}

const FALLBACK: Record<number, string> = {
  404: "Not found, or you don't have access.",
  413: "This is too large. Shorten it and try again.",
  429: "Too many requests. Wait a moment and try again.",
  500: "The server failed. Try again in a moment.",
  503: "The server is not ready yet. Try again in a moment.",
};

export const unreachable = (): Problem =>
  new Problem(0, "Tutordesk cannot be reached. Check your connection.");

const isObject = (body: unknown): body is Partial<ProblemBody> =>
  typeof body === "object" && body !== null;

/** Return the problem that a refusal states. A proxy's body may be anything, so each field is checked. */
export function problemOf(response: Response, body: unknown): Problem {
  const { detail, title, type, errors } = isObject(body) ? body : {};
  const sentence = [detail, title].find((text) => typeof text === "string" && text !== "");
  const fallback =
    FALLBACK[response.status] ??
    `The server answered with status ${response.status}. Try again in a moment.`;
  const wait = Number(response.headers.get("Retry-After"));
  return new Problem(
    response.status,
    sentence ?? fallback,
    typeof type === "string" ? type : undefined,
    Array.isArray(errors) ? errors : [],
    Number.isFinite(wait) && wait > 0 ? wait : null,
  );
}

/** Return the sentence of an error for people. */
export const sentenceOf = (error: unknown): string =>
  error instanceof Error ? error.message : "Something unexpected happened. Try again.";
