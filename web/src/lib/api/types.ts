// Names the generated shapes of the API (schema.d.ts) as the features use them.
import type { components } from "./schema";

type Schemas = components["schemas"];

export type ProblemBody = Schemas["Problem"];
export type FieldError = Schemas["FieldError"];

export type TicketItem = Schemas["TicketRow"];
export type Ticket = Schemas["TicketOut"];
/** The fields of the ticket form. */
export type TicketInput = Required<Omit<Schemas["TicketIn"], "client_ticket_id">>;
/** The filter of the ticket list; empty fields match all. */
export interface TicketFilter {
  q: string;
  category: string;
  tags: string[];
}
export type SummaryStatus = TicketItem["summary_status"];
export type Facet = Schemas["Facet"];
/** The data of each event of the tickets, by the event's name. */
export type TicketEvents = Schemas["TicketWire"];

export type Me = Schemas["Me"];
export type NewAccount = Schemas["Account"];
export type Credentials = Schemas["Credentials"];

export type AskBody = Schemas["Ask"];
/** The data of each event of a reply, by the event's name. */
export type ReplyEvents = Schemas["ReplyWire"];
export type ReplyStatus = Schemas["ReplyStatus"];
export type ReplyError = Schemas["Failure"];
export type Usage = Schemas["TokenUsage"];
export type Citation = Schemas["Citation"];
export type Feedback = Schemas["Feedback"];
export type Alternative = Schemas["Alternative"];
export type Message = Schemas["Message"];
export type ChatSession = Schemas["SessionRow"];
export type ChatSessionDetail = Schemas["SessionOut"];

export type NewRoom = Schemas["NewRoom"];
export type RoomChange = Schemas["RoomChange"];
export type RoomRow = Schemas["RoomRow"];
export type RoomOut = Schemas["RoomOut"];
export type RoomMember = Schemas["MemberOut"];
export type MemberChange = Schemas["MemberChange"];
export type RoomMessage = Schemas["MessageOut"];
export type RunningAnswer = Schemas["RunningAnswer"];
export type RoomCommand = Schemas["RoomWire"]["command"];
export type RoomEvent = Schemas["RoomWire"]["event"];
