// Immediate hints about a ticket's fields, with the server's limits counted in code points. The server decides.
import type { FieldError, TicketInput } from "@/lib/api/types";

/** The most characters of each text, and the most tags. */
export const MAX = { title: 200, category: 60, description: 100_000, tags: 20 } as const;

const codePoints = (text: string): number => [...text].length;

/** Return the problems with the fields, or an empty list. */
export function checkTicket(values: TicketInput): FieldError[] {
  const errors: FieldError[] = [];
  const add = (field: keyof TicketInput, message: string) => errors.push({ field, message });
  if (!values.title.trim()) add("title", "Give the ticket a title.");
  if (codePoints(values.title) > MAX.title) add("title", `At most ${MAX.title} characters.`);
  if (codePoints(values.category) > MAX.category)
    add("category", `At most ${MAX.category} characters.`);
  if (!values.description.trim()) add("description", "Describe it in a sentence or more.");
  const length = codePoints(values.description);
  if (length > MAX.description) {
    add(
      "description",
      `Too long: ${length.toLocaleString("en")} of ${MAX.description.toLocaleString("en")} characters.`,
    );
  }
  return errors;
}
