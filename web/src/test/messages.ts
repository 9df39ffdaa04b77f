// Messages as the server sends them, for tests.
import type { Message } from "@/lib/api/types";

/** Return a finished message with every field that the server sends. */
export const savedMessage = (
  id: string,
  role: Message["role"],
  fields: Partial<Message> = {},
): Message => ({
  id,
  role,
  content: `text of ${id}`,
  status: "complete",
  created_at: "2026-11-21T12:00:00Z",
  ended_at: null,
  model: null,
  usage: null,
  citations: [],
  thinking: null,
  finish_reason: null,
  error: null,
  feedback: null,
  alternatives: [],
  ...fields,
});
