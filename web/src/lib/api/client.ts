// Every call to the server, under the name of its operation in the API's description (`list_tickets` is `listTickets`).
// Paths, parameters and bodies are checked against the generated types. A refusal rejects with a `Problem`.
import type { operations } from "./schema";
import { dataOf, done, pageOf, STREAM, server, streamOf } from "./transport";
import type {
  AskBody,
  Credentials,
  Feedback,
  MemberChange,
  NewAccount,
  NewRoom,
  RoomChange,
  TicketInput,
} from "./types";

type CamelCase<Name extends string> = Name extends `${infer Head}_${infer Tail}`
  ? `${Head}${Capitalize<CamelCase<Tail>>}`
  : Name;
/** Refuses a name that no operation has. */
type Calls = { [Id in keyof operations as CamelCase<Id>]?: unknown };
type Query<Id extends keyof operations> = operations[Id]["parameters"]["query"];

/** Where to continue a reply: after its last known event, or from the start. */
const continueAfter = (lastId: string | null) =>
  lastId ? { header: { "last-event-id": lastId } } : { query: { after: "0" } };

export const api = {
  listTickets: (query: Query<"list_tickets">, signal?: AbortSignal) =>
    pageOf(server.GET("/tickets", { params: { query }, signal })),
  listFacets: (signal?: AbortSignal) => dataOf(server.GET("/tickets/facets", { signal })),
  followTickets: (signal: AbortSignal) =>
    streamOf(server.GET("/tickets/events", { ...STREAM, signal })),
  followRooms: (signal: AbortSignal) =>
    streamOf(server.GET("/rooms/events", { ...STREAM, signal })),
  readTicket: (ticket_id: string, signal?: AbortSignal) =>
    dataOf(server.GET("/tickets/{ticket_id}", { params: { path: { ticket_id } }, signal })),
  createTicket: ({ category, ...body }: TicketInput, client_ticket_id: string) =>
    dataOf(
      // Without a category the server takes its default.
      server.POST("/tickets", {
        body: { ...body, category: category || undefined, client_ticket_id },
      }),
    ),
  createSampleTickets: () => dataOf(server.POST("/tickets/samples")),
  updateTicket: (ticket_id: string, body: TicketInput) =>
    dataOf(server.PATCH("/tickets/{ticket_id}", { params: { path: { ticket_id } }, body })),
  deleteTicket: (ticket_id: string) =>
    done(server.DELETE("/tickets/{ticket_id}", { params: { path: { ticket_id } } })),
  restoreTicket: (ticket_id: string) =>
    dataOf(server.POST("/tickets/{ticket_id}/restore", { params: { path: { ticket_id } } })),
  refreshSummary: (ticket_id: string) =>
    dataOf(server.POST("/tickets/{ticket_id}/summary", { params: { path: { ticket_id } } })),

  streamGlobalChat: (body: AskBody, signal: AbortSignal) =>
    streamOf(server.POST("/chat/global/stream", { ...STREAM, body, signal })),
  streamTicketChat: (ticket_id: string, body: AskBody, signal: AbortSignal) =>
    streamOf(
      server.POST("/chat/ticket/{ticket_id}/stream", {
        ...STREAM,
        params: { path: { ticket_id } },
        body,
        signal,
      }),
    ),
  followReply: (reply_id: string, lastId: string | null, signal: AbortSignal) =>
    streamOf(
      server.GET("/chat/replies/{reply_id}/stream", {
        ...STREAM,
        params: { path: { reply_id }, ...continueAfter(lastId) },
        signal,
      }),
    ),
  stopReply: (reply_id: string) =>
    done(server.POST("/chat/replies/{reply_id}/stop", { params: { path: { reply_id } } })),
  listChatSessions: (query: Query<"list_chat_sessions">, signal?: AbortSignal) =>
    pageOf(server.GET("/chat/sessions", { params: { query }, signal })),
  readChatSession: (session_id: string, query: Query<"read_chat_session">, signal?: AbortSignal) =>
    pageOf(
      server.GET("/chat/sessions/{session_id}", {
        params: { path: { session_id }, query },
        signal,
      }),
    ),
  updateChatSession: (session_id: string, title: string) =>
    dataOf(
      server.PATCH("/chat/sessions/{session_id}", {
        params: { path: { session_id } },
        body: { title },
      }),
    ),
  deleteChatSession: (session_id: string) =>
    done(server.DELETE("/chat/sessions/{session_id}", { params: { path: { session_id } } })),
  restoreChatSession: (session_id: string) =>
    dataOf(
      server.POST("/chat/sessions/{session_id}/restore", { params: { path: { session_id } } }),
    ),
  updateChatMessage: (session_id: string, message_id: string, feedback: Feedback | null) =>
    done(
      server.PATCH("/chat/sessions/{session_id}/messages/{message_id}", {
        params: { path: { session_id, message_id } },
        body: { feedback },
      }),
    ),

  listRooms: (query: Query<"list_rooms">, signal?: AbortSignal) =>
    pageOf(server.GET("/rooms", { params: { query }, signal })),
  createRoom: (body: NewRoom) => dataOf(server.POST("/rooms", { body })),
  readRoom: (room_id: string, signal?: AbortSignal) =>
    dataOf(server.GET("/rooms/{room_id}", { params: { path: { room_id } }, signal })),
  updateRoom: (room_id: string, body: RoomChange) =>
    dataOf(server.PATCH("/rooms/{room_id}", { params: { path: { room_id } }, body })),
  deleteRoom: (room_id: string) =>
    done(server.DELETE("/rooms/{room_id}", { params: { path: { room_id } } })),
  joinRoom: (room_id: string) =>
    dataOf(server.POST("/rooms/{room_id}/join", { params: { path: { room_id } } })),
  leaveRoom: (room_id: string) =>
    done(server.POST("/rooms/{room_id}/leave", { params: { path: { room_id } } })),
  listRoomMessages: (room_id: string, query: Query<"list_room_messages">, signal?: AbortSignal) =>
    pageOf(
      server.GET("/rooms/{room_id}/messages", { params: { path: { room_id }, query }, signal }),
    ),
  updateRoomMessage: (room_id: string, message_id: string, content: string) =>
    dataOf(
      server.PATCH("/rooms/{room_id}/messages/{message_id}", {
        params: { path: { room_id, message_id } },
        body: { content },
      }),
    ),
  deleteRoomMessage: (room_id: string, message_id: string) =>
    done(
      server.DELETE("/rooms/{room_id}/messages/{message_id}", {
        params: { path: { room_id, message_id } },
      }),
    ),
  updateRoomMember: (room_id: string, user_id: string, body: MemberChange) =>
    done(
      server.PATCH("/rooms/{room_id}/members/{user_id}", {
        params: { path: { room_id, user_id } },
        body,
      }),
    ),
  removeRoomMember: (room_id: string, user_id: string) =>
    done(
      server.DELETE("/rooms/{room_id}/members/{user_id}", {
        params: { path: { room_id, user_id } },
      }),
    ),
  followAgent: (reply_id: string, lastId: string | null, signal: AbortSignal) =>
    streamOf(
      server.GET("/agent/stream/{reply_id}", {
        ...STREAM,
        params: { path: { reply_id }, ...continueAfter(lastId) },
        signal,
      }),
    ),

  readMe: (signal?: AbortSignal) => dataOf(server.GET("/me", { signal })),
  updateMe: (name: string) => dataOf(server.PATCH("/me", { body: { name } })),
  createAccount: (body: NewAccount) => dataOf(server.POST("/me/account", { body })),
  createSession: (body: Credentials) => dataOf(server.POST("/me/session", { body })),
  deleteSession: () => done(server.DELETE("/me/session")),

  readStatus: (signal?: AbortSignal) => dataOf(server.GET("/status", { signal })),
  testStream: (signal: AbortSignal) =>
    streamOf(server.GET("/status/stream", { ...STREAM, signal })),
} satisfies Calls;
