// The shapes of the wire, as the features use them.
export type SummaryStatus = "pending" | "ready" | "failed" | "none";

export interface TicketItem {
  id: string;
  title: string;
  excerpt: string;
  category: string;
  tags: string[];
  ai_summary: string | null;
  summary_status: SummaryStatus;
  created_at: string;
  updated_at: string;
  author_id: string | null;
  transcript_count: number;
}

export interface Ticket extends Omit<TicketItem, "excerpt"> {
  description: string;
  summary_model: string | null;
  summary_at: string | null;
}

export interface TicketInput {
  title: string;
  description: string;
  category: string;
  tags: string[];
}

export interface Facet {
  name: string;
  count: number;
}

export interface Facets {
  categories: Facet[];
  tags: Facet[];
}

export interface Me {
  id: string | null;
  name?: string | null;
  role?: string | null;
}

export type ReplyStatus = "streaming" | "complete" | "stopped" | "interrupted" | "failed";
export type ReplyErrorType =
  | "busy"
  | "quota"
  | "auth"
  | "blocked"
  | "timeout"
  | "offline"
  | "too_long"
  | "unknown";

export interface ReplyError {
  error: string;
  type: ReplyErrorType | string;
  retryable: boolean;
}

export interface Usage {
  input_tokens?: number;
  output_tokens?: number;
}

export interface Citation {
  ticket_id?: string;
  title?: string;
  quote?: string;
}

export interface Message {
  id: string;
  role: "user" | "assistant";
  content: string;
  status: ReplyStatus;
  created_at: string;
  ended_at?: string | null;
  model?: string | null;
  usage?: Usage | null;
  citations?: Citation[] | null;
  error?: ReplyError | null;
}

export interface ChatSession {
  id: string;
  title: string;
  ticket_id: string | null;
  message_count: number;
  created_at: string;
  updated_at: string;
  running_reply: { id: string } | null;
}

export interface ChatSessionDetail extends ChatSession {
  messages: Message[];
}
