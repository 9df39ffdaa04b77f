// The form of a new or edited ticket, with a draft, a preview, and problems beside their fields. The browser only
// gives hints: the server decides, and the draft is kept until it accepts the ticket.
import { useQuery } from "@tanstack/react-query";
import { type FormEvent, useEffect, useId, useRef, useState } from "react";
import { Link } from "react-router";
import { type FieldError, Problem } from "@/lib/api";
import { useHotkeys } from "@/lib/hotkeys";
import { facetsQuery } from "@/lib/queries";
import type { Ticket, TicketInput } from "@/lib/types";
import { Markdown } from "@/markdown/markdown";
import { Button, buttonClass } from "@/ui/button";
import { Kbd } from "@/ui/kbd";
import { Field } from "./field";
import { SavedNote } from "./saved-note";
import { TagInput } from "./tag-input";
import { useTicketDraft } from "./use-ticket-draft";
import { checkTicket, MAX } from "./validation";

interface TicketFormProps {
  draftKey: string;
  initial: TicketInput;
  submitLabel: string;
  cancelTo: string;
  save: (values: TicketInput) => Promise<Ticket>;
  onSaved: (ticket: Ticket) => void;
}

export function TicketForm(props: TicketFormProps) {
  const { draftKey, initial, submitLabel, cancelTo, save, onSaved } = props;
  const { values, change, savedAt, isRestored, forget, discard } = useTicketDraft(
    draftKey,
    initial,
  );
  const { data: facets } = useQuery(facetsQuery);
  const [errors, setErrors] = useState<FieldError[]>([]);
  const [failure, setFailure] = useState("");
  const [isSaving, setSaving] = useState(false);
  const [isPreview, setPreview] = useState(false);
  const form = useRef<HTMLFormElement>(null);
  const id = useId();
  const focusError = useRef(false);
  // After the errors are rendered, the first field with one gets the focus.
  useEffect(() => {
    if (!focusError.current || errors.length === 0) return;
    focusError.current = false;
    const invalid = "input[aria-invalid=true], textarea[aria-invalid=true]";
    form.current?.querySelector<HTMLElement>(invalid)?.focus();
  }, [errors]);

  const showProblems = (fieldErrors: FieldError[], sentence: string) => {
    setErrors(fieldErrors);
    setFailure(sentence);
    setPreview(false);
    focusError.current = true;
  };
  const submit = async (event?: FormEvent) => {
    event?.preventDefault();
    if (isSaving) return;
    const hints = checkTicket(values);
    if (hints.length > 0) return showProblems(hints, "");
    setSaving(true);
    try {
      const ticket = await save({
        title: values.title.trim(),
        category: values.category.trim(),
        description: values.description,
        tags: values.tags,
      });
      forget();
      onSaved(ticket);
    } catch (error) {
      const problem = error instanceof Problem ? error : new Problem(0, String(error));
      const fieldErrors = problem.errors.map(({ field, message }) => ({
        field: field.split(".")[0] ?? field,
        message,
      }));
      showProblems(fieldErrors, fieldErrors.length > 0 ? "" : problem.message);
      setSaving(false);
    }
  };
  useHotkeys({
    "mod+enter": () => void submit(),
    "alt+p": () => setPreview((current) => !current),
  });
  const errorOf = (field: string) => errors.find((error) => error.field === field)?.message;
  const edit = (part: Partial<TicketInput>) => {
    const [field] = Object.keys(part);
    setErrors((all) => all.filter((error) => error.field !== field));
    change(part);
  };
  useEffect(() => {
    if (!isSaving) return;
    const warn = (event: BeforeUnloadEvent) => event.preventDefault();
    window.addEventListener("beforeunload", warn);
    return () => window.removeEventListener("beforeunload", warn);
  }, [isSaving]);

  return (
    <form ref={form} noValidate onSubmit={submit} className="grid gap-4">
      {isRestored && (
        <p className="flex flex-wrap items-center gap-2 rounded-md bg-panel px-3 py-1.5 text-[14px] text-soft">
          Your draft was restored.
          <button type="button" className="text-button underline" onClick={discard}>
            Discard draft
          </button>
        </p>
      )}
      <Field id={`${id}-title`} label="Title" error={errorOf("title")}>
        {(aria) => (
          <input
            {...aria}
            name="title"
            className="field"
            autoComplete="off"
            maxLength={MAX.title}
            value={values.title}
            onChange={(event) => edit({ title: event.target.value })}
          />
        )}
      </Field>
      <Field id={`${id}-category`} label="Category" error={errorOf("category")}>
        {(aria) => (
          <>
            <input
              {...aria}
              name="category"
              className="field"
              autoComplete="off"
              list={`${id}-categories`}
              maxLength={MAX.category}
              placeholder="Such as guide, article, troubleshooting"
              value={values.category}
              onChange={(event) => edit({ category: event.target.value })}
            />
            <datalist id={`${id}-categories`}>
              {facets?.categories.map(({ name }) => (
                <option key={name} value={name} />
              ))}
            </datalist>
          </>
        )}
      </Field>
      <Field
        id={`${id}-description`}
        label="Description"
        error={errorOf("description")}
        aside={
          <button
            type="button"
            className="text-button"
            aria-pressed={isPreview}
            onClick={() => setPreview(!isPreview)}
          >
            {isPreview ? "Write" : "Preview"} <Kbd>Alt P</Kbd>
          </button>
        }
        hint={
          <>
            Markdown, code and maths <span aria-hidden="true">·</span> <SavedNote at={savedAt} />
          </>
        }
      >
        {(aria) =>
          isPreview ? (
            <section
              aria-label="Preview of the description"
              className="min-h-[260px] rounded-md border border-line px-3 py-2"
            >
              {values.description.trim() ? (
                <Markdown text={values.description} />
              ) : (
                <p className="text-dim">Nothing to preview yet.</p>
              )}
            </section>
          ) : (
            <textarea
              {...aria}
              name="description"
              rows={11}
              className="field min-h-[260px] resize-y [field-sizing:content] max-h-[70dvh]"
              value={values.description}
              onChange={(event) => edit({ description: event.target.value })}
            />
          )
        }
      </Field>
      <Field
        id={`${id}-tags`}
        label="Tags"
        error={errorOf("tags")}
        hint={values.tags.length > 0 ? `${values.tags.length} of ${MAX.tags}` : undefined}
      >
        {(aria) => (
          <TagInput
            id={aria.id}
            describedBy={aria["aria-describedby"]}
            invalid={aria["aria-invalid"]}
            tags={values.tags}
            suggestions={facets?.tags.map(({ name }) => name) ?? []}
            onChange={(tags) => edit({ tags })}
          />
        )}
      </Field>
      {failure && (
        <p role="alert" className="text-danger">
          {failure} Your text is kept.
        </p>
      )}
      <div className="flex flex-wrap gap-2.5">
        <Button type="submit" weight="primary" disabled={isSaving}>
          {isSaving ? "Saving…" : submitLabel} <Kbd bare>Ctrl ↵</Kbd>
        </Button>
        <Link to={cancelTo} className={buttonClass("quiet")}>
          Cancel
        </Link>
      </div>
    </form>
  );
}
