// What the chat page asks the server for: the list of chats, a search in them, and one chat page by page.
import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { api } from "@/lib/api/client";

export const chatKeys = {
  sessions: ["chat", "sessions"] as const,
  found: ["chat", "sessions", "found"] as const,
  session: (id: string) => ["chat", "session", id] as const,
};

export const sessionsQuery = infiniteQueryOptions({
  queryKey: chatKeys.sessions,
  queryFn: ({ pageParam, signal }) => api.listSessions(pageParam, signal),
  initialPageParam: "/chat/sessions",
  getNextPageParam: (last) => last.next ?? undefined,
});

/** At most one page: the chats whose title or messages hold all the words, each with where they stand. */
export const searchQuery = (q: string) =>
  queryOptions({
    queryKey: [...chatKeys.found, q],
    queryFn: ({ signal }) => api.searchSessions(q, signal),
  });

/** Page 0 is the newest; the next ones are older. Around a message, there may be newer ones before page 0. */
export const sessionQuery = (id: string, around: string | null = null) => {
  const path = `/chat/sessions/${encodeURIComponent(id)}`;
  return infiniteQueryOptions({
    queryKey: [...chatKeys.session(id), around],
    queryFn: ({ pageParam, signal }) => api.readSession(pageParam, signal),
    initialPageParam: around ? `${path}?around=${encodeURIComponent(around)}` : path,
    getNextPageParam: (last) => last.next ?? undefined,
    getPreviousPageParam: (first) => (around && first.previous) || undefined,
  });
};
