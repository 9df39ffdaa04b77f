// The id that a new ticket is sent with: the same for the same text until the server has answered, also after a reload.
// So sending a ticket again that was saved although its request failed does not create a second one.

import type { TicketInput } from "@/lib/api/types";
import { newId } from "@/lib/browser/ids";
import { clearDraft, readDraft, writeDraft } from "@/lib/drafts/drafts";

interface Sent {
  id: string;
  values: TicketInput;
}

const keyOf = (draftKey: string): string => `${draftKey}.sent`;

export function clientTicketId(draftKey: string, values: TicketInput): string {
  const sent = readDraft<Sent>(keyOf(draftKey))?.value;
  if (sent && JSON.stringify(sent.values) === JSON.stringify(values)) return sent.id;
  const id = newId();
  writeDraft<Sent>(keyOf(draftKey), { id, values });
  return id;
}

export function forgetClientTicketId(draftKey: string): void {
  clearDraft(keyOf(draftKey));
}
