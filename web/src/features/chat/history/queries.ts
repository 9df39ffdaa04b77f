// Queries of the chat page: the list of chats, a search in them, and the messages of a chat page by page.
import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { api } from "@/lib/api/client";
import { FIRST_PAGE, nextCursor } from "@/lib/api/queries";

export const chatKeys = {
  sessions: ["chat", "sessions"] as const,
  searches: ["chat", "sessions", "search"] as const,
  session: (id: string) => ["chat", "session", id] as const,
};

export const sessionsQuery = infiniteQueryOptions({
  queryKey: chatKeys.sessions,
  queryFn: ({ pageParam, signal }) =>
    api.listChatSessions({ cursor: pageParam || undefined }, signal),
  initialPageParam: FIRST_PAGE,
  getNextPageParam: nextCursor,
});

/** The chats whose title or messages contain all words, each with an excerpt. At most one page. */
export const searchQuery = (q: string) =>
  queryOptions({
    queryKey: [...chatKeys.searches, q],
    queryFn: async ({ signal }) => (await api.listChatSessions({ q }, signal)).data,
  });

/** Chooses a page of a chat by the place where it ends or begins, or by a message on it. */
interface Place {
  before?: number;
  after?: number;
  around?: string;
}

/** Page 0 is the newest, and next pages are older. Around a message, newer pages may come before page 0. */
export const sessionQuery = (id: string, around: string | null = null) => {
  const start: Place = around ? { around } : {};
  return infiniteQueryOptions({
    queryKey: [...chatKeys.session(id), around],
    queryFn: ({ pageParam, signal }) => api.readChatSession(id, pageParam, signal),
    initialPageParam: start,
    getNextPageParam: ({ next }): Place | null => next && { before: Number(next.before) },
    getPreviousPageParam: ({ previous }): Place | null =>
      around ? previous && { after: Number(previous.after) } : null,
  });
};
