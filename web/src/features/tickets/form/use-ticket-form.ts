// The state of the ticket form: its values and draft, the problems beside their fields, and saving. The browser only
// gives hints: the server decides, and the draft is kept until it accepts the ticket.
import { type FormEvent, useEffect, useRef, useState } from "react";
import { Problem } from "@/lib/api/problem";
import type { FieldError, Ticket, TicketInput } from "@/lib/api/types";
import { useTicketDraft } from "./use-ticket-draft";
import { checkTicket } from "./validation";

export interface TicketFormOptions {
  draftKey: string;
  initial: TicketInput;
  save: (values: TicketInput) => Promise<Ticket>;
  onSaved: (ticket: Ticket) => void;
}

/** Ask before the page is left while a ticket is being saved. */
function useLeaveWarning(isSaving: boolean): void {
  useEffect(() => {
    if (!isSaving) return;
    const warn = (event: BeforeUnloadEvent) => event.preventDefault();
    window.addEventListener("beforeunload", warn);
    return () => window.removeEventListener("beforeunload", warn);
  }, [isSaving]);
}

/** Return the problems of single fields: `tags.0` belongs to `tags`. */
const fieldErrorsOf = (problem: Problem): FieldError[] =>
  problem.errors.map(({ field, message }) => ({ field: field.split(".")[0] ?? field, message }));

/** Hold the form's state. Calls `onProblems` before problems are shown at the fields. */
export function useTicketForm(options: TicketFormOptions, onProblems: () => void) {
  const { draftKey, initial, save, onSaved } = options;
  const { values, change, forget, ...draft } = useTicketDraft(draftKey, initial);
  const [errors, setErrors] = useState<FieldError[]>([]);
  const [failure, setFailure] = useState("");
  const [isSaving, setSaving] = useState(false);
  const form = useRef<HTMLFormElement>(null);
  const focusError = useRef(false);
  // After the errors are rendered, the first field with one gets the focus.
  useEffect(() => {
    if (!focusError.current || errors.length === 0) return;
    focusError.current = false;
    const invalid = "input[aria-invalid=true], textarea[aria-invalid=true]";
    form.current?.querySelector<HTMLElement>(invalid)?.focus();
  }, [errors]);
  useLeaveWarning(isSaving);

  const showProblems = (fieldErrors: FieldError[], sentence = "") => {
    setErrors(fieldErrors);
    setFailure(sentence);
    onProblems();
    focusError.current = true;
  };
  const submit = async (event?: FormEvent) => {
    event?.preventDefault();
    if (isSaving) return;
    const hints = checkTicket(values);
    if (hints.length > 0) return showProblems(hints);
    setSaving(true);
    try {
      const { title, category, description, tags } = values;
      const ticket = await save({
        title: title.trim(),
        category: category.trim(),
        description,
        tags,
      });
      forget();
      onSaved(ticket);
    } catch (error) {
      const problem = error instanceof Problem ? error : new Problem(0, String(error));
      const fieldErrors = fieldErrorsOf(problem);
      showProblems(fieldErrors, fieldErrors.length > 0 ? "" : problem.message);
      setSaving(false);
    }
  };
  const edit = (part: Partial<TicketInput>) => {
    const [field] = Object.keys(part);
    setErrors((all) => all.filter((error) => error.field !== field));
    change(part);
  };
  const errorOf = (field: keyof TicketInput) =>
    errors.find((error) => error.field === field)?.message;
  return { ...draft, form, values, edit, errorOf, failure, isSaving, submit };
}
