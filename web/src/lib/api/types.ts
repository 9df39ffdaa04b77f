// The shapes of the wire under the names the features use; generated from the server (schema.d.ts).
import type { components } from "./schema";

type Schemas = components["schemas"];

export type TicketItem = Schemas["TicketRow"];
export type Ticket = Schemas["TicketOut"];
export type SummaryStatus = TicketItem["summary_status"];
export type Facet = Schemas["Facet"];
export type Facets = Schemas["FacetsOut"];
export type Me = Schemas["Me"];
export type ReplyStatus = Schemas["ReplyStatus"];
export type ReplyError = Schemas["Failure"];
export type AskBody = Schemas["Ask"];
/** The data of each event of a reply, by the event's name. */
export type ReplyEvents = Schemas["ReplyWire"];
export type Usage = Schemas["TokenUsage"];
export type Citation = Schemas["Citation"];
export type Feedback = Schemas["Feedback"];
/** One version of a message as it is read: what the server's type has defaults for is always there. */
export type Version = Required<Pick<Schemas["Version"], "id" | "created_at">> &
  Pick<
    Schemas["Version"],
    "content" | "status" | "ended_at" | "model" | "usage" | "error" | "feedback"
  > & {
    citations?: Citation[] | null;
  };
/** An earlier version; that of a question keeps the answers that it had. */
export type Alternative = Version & { answers?: Version[] };
/** `alternatives`: its earlier versions, oldest first. */
export type Message = Version & Pick<Schemas["Message"], "role"> & { alternatives?: Alternative[] };
export type ChatSession = Schemas["SessionRow"];
export type ChatSessionDetail = ChatSession & { messages: Message[] };

export type Status = Schemas["StatusOut"];

export type RoomRow = Schemas["RoomRow"];
export type RoomOut = Schemas["RoomOut"];
export type RoomMember = Schemas["MemberOut"];
export type RoomMessage = Schemas["MessageOut"];
export type RoomCommand = Schemas["RoomWire"]["command"];
export type RoomEvent = Schemas["RoomWire"]["event"];

export interface TicketInput {
  title: string;
  description: string;
  category: string;
  tags: string[];
}
