// What the chat page asks the server for: the list of chats, and one chat page by page backwards.
import { infiniteQueryOptions } from "@tanstack/react-query";
import { api } from "@/lib/api";

export const chatKeys = {
  sessions: ["chat", "sessions"] as const,
  session: (id: string) => ["chat", "session", id] as const,
};

export const sessionsQuery = infiniteQueryOptions({
  queryKey: chatKeys.sessions,
  queryFn: ({ pageParam, signal }) => api.listSessions(pageParam, signal),
  initialPageParam: "/chat/sessions",
  getNextPageParam: (last) => last.next ?? undefined,
});

/** Page 0 is the newest; the next ones are older. */
export const sessionQuery = (id: string) =>
  infiniteQueryOptions({
    queryKey: chatKeys.session(id),
    queryFn: ({ pageParam, signal }) => api.readSession(pageParam, signal),
    initialPageParam: `/chat/sessions/${encodeURIComponent(id)}`,
    getNextPageParam: (last) => last.next ?? undefined,
  });
