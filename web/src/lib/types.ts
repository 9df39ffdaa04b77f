// The shapes of the wire under the names the features use; generated from the server (schema.d.ts).
import type { components } from "./schema";

type Schemas = components["schemas"];

export type TicketItem = Schemas["TicketRow"];
export type Ticket = Schemas["TicketOut"];
export type SummaryStatus = TicketItem["summary_status"];
export type Facet = Schemas["Facet"];
export type Facets = Schemas["FacetsOut"];
export type Me = Schemas["Me"];
export type ReplyStatus = Schemas["Status"];
export type ReplyError = Schemas["Failure"];
export type Usage = Schemas["TokenUsage"];
export type Citation = Schemas["Citation"];
/** A message as it is read: what the server's type has defaults for is always there. */
export type Message = Required<Pick<Schemas["Message"], "id" | "created_at">> &
  Pick<
    Schemas["Message"],
    "role" | "content" | "status" | "ended_at" | "model" | "usage" | "error"
  > & {
    citations?: Citation[] | null;
  };
export type ChatSession = Schemas["SessionRow"];
export type ChatSessionDetail = ChatSession & { messages: Message[] };

export interface TicketInput {
  title: string;
  description: string;
  category: string;
  tags: string[];
}
