// Every call to the server goes through `request`: JSON in and out, problems (RFC 9457) as one kind of
// error with a sentence a person can act on, and one silent repeat when the server cleared a bad cookie.
import { seeEpoch } from "./epoch";
import { seeWrite } from "./read-only";
import type {
  ChatSession,
  ChatSessionDetail,
  Facets,
  Me,
  RoomMessage,
  RoomOut,
  RoomRow,
  Status,
  Ticket,
  TicketInput,
  TicketItem,
} from "./types";

export interface FieldError {
  field: string;
  message: string;
}

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
  0: "Tutordesk cannot be reached. Check your connection.",
  404: "This does not exist, or not any more.",
  413: "This is too large.",
  429: "Too many requests. Wait a moment and try again.",
  500: "The server failed. Try again in a moment.",
  503: "The server is not ready yet. Try again in a moment.",
};

export async function toProblem(response: Response): Promise<Problem> {
  const body = (await response.json().catch(() => null)) as Record<string, unknown> | null;
  const text = [body?.detail, body?.title].find((part) => typeof part === "string" && part !== "");
  const fallback = FALLBACK[response.status] ?? `The server answered ${response.status}.`;
  const wait = Number(response.headers.get("Retry-After"));
  return new Problem(
    response.status,
    typeof text === "string" ? text : fallback,
    typeof body?.type === "string" ? body.type : undefined,
    Array.isArray(body?.errors) ? (body.errors as FieldError[]) : [],
    Number.isFinite(wait) && wait > 0 ? wait : null,
  );
}

/** fetch that turns a lost network into a Problem and repeats once after 401. Aborts pass through. */
export async function send(path: string, init: RequestInit = {}): Promise<Response> {
  for (let attempt = 0; ; attempt++) {
    let response: Response;
    try {
      response = await fetch(path, { credentials: "same-origin", ...init });
    } catch (error) {
      if (error instanceof DOMException && error.name === "AbortError") throw error;
      throw new Problem(0, FALLBACK[0] ?? "");
    }
    seeEpoch(response.headers.get("Tutordesk-Epoch"));
    if (init.method && init.method !== "GET") seeWrite(response.status);
    if (response.status !== 401 || attempt > 0) return response;
  }
}

interface Options {
  method?: "GET" | "POST" | "PATCH" | "DELETE";
  body?: unknown;
  signal?: AbortSignal;
}

export interface Page<T> {
  data: T;
  /** Path of the next page, from the Link header. */
  next: string | null;
  /** Path of the page before, where a list was entered in its middle. */
  previous: string | null;
}

/** The target of rel="next" or rel="prev" in a Link header, as a path of this origin. */
export function pageLink(header: string | null, rel: "next" | "prev"): string | null {
  for (const part of header?.split(/,(?=\s*<)/) ?? []) {
    const match = /<([^>]+)>\s*;(?:.*;)?\s*rel="?(next|prev)"?/i.exec(part);
    if (!match?.[1] || match[2]?.toLowerCase() !== rel) continue;
    const url = new URL(match[1], location.href);
    return url.pathname + url.search;
  }
  return null;
}

export async function request<T>(path: string, options: Options = {}): Promise<Page<T>> {
  const { method = "GET", body, signal } = options;
  const headers: Record<string, string> = { Accept: "application/json" };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  const response = await send(path, {
    method,
    headers,
    body: body === undefined ? undefined : JSON.stringify(body),
    signal,
  });
  if (!response.ok) throw await toProblem(response);
  const data = response.status === 204 ? undefined : await response.json().catch(() => undefined);
  const links = response.headers.get("Link");
  return { data: data as T, next: pageLink(links, "next"), previous: pageLink(links, "prev") };
}

const only = async <T>(page: Promise<Page<T>>): Promise<T> => (await page).data;
const part = encodeURIComponent;

export interface TicketFilter {
  q: string;
  category: string;
  tags: string[];
}

export function ticketsPath(filter: Partial<TicketFilter>, limit = 30): string {
  const query = new URLSearchParams();
  if (filter.q) query.set("q", filter.q);
  if (filter.category) query.set("category", filter.category);
  for (const tag of filter.tags ?? []) query.append("tag", tag);
  query.set("limit", String(limit));
  return `/tickets?${query}`;
}

export const api = {
  listTickets: (path: string, signal?: AbortSignal) => request<TicketItem[]>(path, { signal }),
  readFacets: (signal?: AbortSignal) => only(request<Facets>("/tickets/facets", { signal })),
  readTicket: (id: string, signal?: AbortSignal) =>
    only(request<Ticket>(`/tickets/${part(id)}`, { signal })),
  createTicket: (body: TicketInput) =>
    only(
      request<Ticket>("/tickets", {
        method: "POST",
        body: { ...body, category: body.category || undefined }, // none: the server's default
      }),
    ),
  updateTicket: (id: string, body: TicketInput) =>
    only(request<Ticket>(`/tickets/${part(id)}`, { method: "PATCH", body })),
  deleteTicket: (id: string) => only(request<void>(`/tickets/${part(id)}`, { method: "DELETE" })),
  restoreTicket: (id: string) =>
    only(request<Ticket>(`/tickets/${part(id)}/restore`, { method: "POST" })),
  refreshSummary: (id: string) =>
    only(request<unknown>(`/tickets/${part(id)}/summary`, { method: "POST" })),
  addSampleTickets: () =>
    only(request<{ created: number }>("/tickets/samples", { method: "POST" })),
  readStatus: (signal?: AbortSignal) => only(request<Status>("/status", { signal })),
  readMe: (signal?: AbortSignal) => only(request<Me>("/me", { signal })),
  listSessions: (path: string, signal?: AbortSignal) => request<ChatSession[]>(path, { signal }),
  readSession: (path: string, signal?: AbortSignal) => request<ChatSessionDetail>(path, { signal }),
  searchSessions: (q: string, signal?: AbortSignal) =>
    only(request<ChatSession[]>(`/chat/sessions?${new URLSearchParams({ q })}`, { signal })),
  renameSession: (id: string, title: string) =>
    only(request<ChatSession>(`/chat/sessions/${part(id)}`, { method: "PATCH", body: { title } })),
  deleteSession: (id: string) =>
    only(request<void>(`/chat/sessions/${part(id)}`, { method: "DELETE" })),
  restoreSession: (id: string) =>
    only(request<ChatSession>(`/chat/sessions/${part(id)}/restore`, { method: "POST" })),
  stopReply: (id: string) =>
    only(request<unknown>(`/chat/replies/${part(id)}/stop`, { method: "POST" })),
  renameMe: (name: string) => only(request<Me>("/me", { method: "PATCH", body: { name } })),
  keepAccount: (body: { email: string; password: string; current_password?: string }) =>
    only(request<Me>("/me/account", { method: "POST", body })),
  signIn: (body: { email: string; password: string }) =>
    only(request<Me>("/me/session", { method: "POST", body })),
  signOut: () => only(request<void>("/me/session", { method: "DELETE" })),
  listRooms: (path: string, signal?: AbortSignal) => request<RoomRow[]>(path, { signal }),
  createRoom: (body: { name: string; topic?: string; ticket_id?: string }) =>
    only(request<RoomOut>("/rooms", { method: "POST", body })),
  readRoom: (id: string, signal?: AbortSignal) =>
    only(request<RoomOut>(`/rooms/${part(id)}`, { signal })),
  changeRoom: (id: string, body: { name?: string; topic?: string }) =>
    only(request<RoomOut>(`/rooms/${part(id)}`, { method: "PATCH", body })),
  deleteRoom: (id: string) => only(request<void>(`/rooms/${part(id)}`, { method: "DELETE" })),
  joinRoom: (id: string) =>
    only(request<RoomOut>(`/rooms/${part(id)}/join`, { method: "POST", body: {} })),
  leaveRoom: (id: string) =>
    only(request<void>(`/rooms/${part(id)}/leave`, { method: "POST", body: {} })),
  listRoomMessages: (id: string, page: { before?: number; limit?: number }, signal?: AbortSignal) =>
    request<RoomMessage[]>(roomMessagesPath(id, page), { signal }),
  editRoomMessage: (id: string, messageId: string, content: string) =>
    only(
      request<RoomMessage>(`/rooms/${part(id)}/messages/${part(messageId)}`, {
        method: "PATCH",
        body: { content },
      }),
    ),
  deleteRoomMessage: (id: string, messageId: string) =>
    only(
      request<void>(`/rooms/${part(id)}/messages/${part(messageId)}`, {
        method: "DELETE",
      }),
    ),
  changeMember: (
    id: string,
    userId: string,
    body: { is_muted: boolean } | { is_silenced: boolean } | { is_removed: false },
  ) => only(request<void>(`/rooms/${part(id)}/members/${part(userId)}`, { method: "PATCH", body })),
  putOut: (id: string, userId: string) =>
    only(request<void>(`/rooms/${part(id)}/members/${part(userId)}`, { method: "DELETE" })),
};

function roomMessagesPath(id: string, page: { before?: number; limit?: number }): string {
  const query = new URLSearchParams({ limit: String(page.limit ?? 50) });
  if (page.before !== undefined) query.set("before", String(page.before));
  return `/rooms/${part(id)}/messages?${query}`;
}
