// What the chat page asks the server for: the list of chats, a search in them, and one chat page by page.
import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { api } from "@/lib/api/client";
import { FIRST_PAGE, nextCursor } from "@/lib/api/queries";

export const chatKeys = {
  sessions: ["chat", "sessions"] as const,
  found: ["chat", "sessions", "found"] as const,
  session: (id: string) => ["chat", "session", id] as const,
};

export const sessionsQuery = infiniteQueryOptions({
  queryKey: chatKeys.sessions,
  queryFn: ({ pageParam, signal }) =>
    api.listChatSessions({ cursor: pageParam || undefined }, signal),
  initialPageParam: FIRST_PAGE,
  getNextPageParam: nextCursor,
});

/** At most one page: the chats whose title or messages hold all the words, each with where they stand. */
export const searchQuery = (q: string) =>
  queryOptions({
    queryKey: [...chatKeys.found, q],
    queryFn: async ({ signal }) => (await api.listChatSessions({ q }, signal)).data,
  });

/** What a page of a chat is asked for by: the place where it ends or begins, or a message on it. */
interface Place {
  before?: number;
  after?: number;
  around?: string;
}

/** Page 0 is the newest; the next ones are older. Around a message, there may be newer ones before page 0. */
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
