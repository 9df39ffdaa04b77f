// The form of a new or an edited ticket: drafts, preview, problems at their fields. The browser only
// hints; what counts is the server's answer, and nothing is cleared before it said yes.
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
  const { values, change, savedAt, restored, forget, discard } = useTicketDraft(draftKey, initial);
  const { data: facets } = useQuery(facetsQuery);
  const [errors, setErrors] = useState<FieldError[]>([]);
  const [failure, setFailure] = useState("");
  const [saving, setSaving] = useState(false);
  const [preview, setPreview] = useState(false);
  const form = useRef<HTMLFormElement>(null);
  const id = useId();
  const toFocus = useRef(false);
  // Once the errors are drawn, the first of them gets the focus.
  useEffect(() => {
    if (!toFocus.current || errors.length === 0) return;
    toFocus.current = false;
    const invalid = "input[aria-invalid=true], textarea[aria-invalid=true]";
    form.current?.querySelector<HTMLElement>(invalid)?.focus();
  }, [errors]);

  const show = (found: FieldError[], sentence: string) => {
    setErrors(found);
    setFailure(sentence);
    setPreview(false);
    toFocus.current = true;
  };
  const submit = async (event?: FormEvent) => {
    event?.preventDefault();
    if (saving) return;
    const found = checkTicket(values);
    if (found.length > 0) return show(found, "");
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
      const known = problem.errors.map(({ field, message }) => ({
        field: field.split(".")[0] ?? field,
        message,
      }));
      show(known, known.length > 0 ? "" : problem.message);
      setSaving(false);
    }
  };
  useHotkeys({
    "mod+enter": () => void submit(),
    "alt+p": () => setPreview((on) => !on),
  });
  const errorOf = (field: string) => errors.find((error) => error.field === field)?.message;
  const edit = (part: Partial<TicketInput>) => {
    const [field] = Object.keys(part);
    setErrors((all) => all.filter((error) => error.field !== field));
    change(part);
  };
  useEffect(() => {
    if (!saving) return;
    const warn = (event: BeforeUnloadEvent) => event.preventDefault();
    window.addEventListener("beforeunload", warn);
    return () => window.removeEventListener("beforeunload", warn);
  }, [saving]);

  return (
    <form ref={form} noValidate onSubmit={submit} className="grid gap-4">
      {restored && (
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
            aria-pressed={preview}
            onClick={() => setPreview(!preview)}
          >
            {preview ? "Write" : "Preview"} <Kbd>Alt P</Kbd>
          </button>
        }
        hint={
          <>
            Markdown, code and maths <span aria-hidden="true">·</span> <SavedNote at={savedAt} />
          </>
        }
      >
        {(aria) =>
          preview ? (
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
        <Button type="submit" weight="primary" disabled={saving}>
          {saving ? "Saving…" : submitLabel} <Kbd bare>Ctrl ↵</Kbd>
        </Button>
        <Link to={cancelTo} className={buttonClass("quiet")}>
          Cancel
        </Link>
      </div>
    </form>
  );
}
