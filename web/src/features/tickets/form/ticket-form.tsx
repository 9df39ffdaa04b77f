// The form of a new or edited ticket, with a draft, a preview, and problems beside their fields.
import { useQuery } from "@tanstack/react-query";
import { useId, useState } from "react";
import { Link } from "react-router";
import { facetsQuery } from "@/lib/api/queries";
import { useHotkeys } from "@/lib/browser/hotkeys";
import { Markdown } from "@/markdown/markdown";
import { Button, buttonClass } from "@/ui/button";
import { Kbd } from "@/ui/kbd";
import { Field } from "./field";
import { SavedNote } from "./saved-note";
import { TagInput } from "./tag-input";
import { type TicketFormOptions, useTicketForm } from "./use-ticket-form";
import { MAX } from "./validation";

interface DescriptionFieldProps {
  id: string;
  value: string;
  error: string | undefined;
  savedAt: number | null;
  isPreview: boolean;
  onPreview: (isPreview: boolean) => void;
  onChange: (description: string) => void;
}

/** The description as Markdown source, or as it will look. */
function DescriptionField(props: DescriptionFieldProps) {
  const { id, value, error, savedAt, isPreview, onPreview, onChange } = props;
  return (
    <Field
      id={id}
      label="Description"
      error={error}
      aside={
        <button
          type="button"
          className="text-button"
          aria-pressed={isPreview}
          onClick={() => onPreview(!isPreview)}
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
            {value.trim() ? (
              <Markdown text={value} />
            ) : (
              <p className="text-dim">Nothing to preview yet.</p>
            )}
          </section>
        ) : (
          <textarea
            {...aria}
            dir="auto"
            name="description"
            rows={11}
            className="field min-h-[260px] resize-y [field-sizing:content] max-h-[70dvh]"
            value={value}
            onChange={(event) => onChange(event.target.value)}
          />
        )
      }
    </Field>
  );
}

interface TicketFormProps extends TicketFormOptions {
  submitLabel: string;
  cancelTo: string;
}

export function TicketForm({ submitLabel, cancelTo, ...options }: TicketFormProps) {
  const [isPreview, setPreview] = useState(false);
  const { form, values, edit, errorOf, failure, isSaving, submit, savedAt, isRestored, discard } =
    useTicketForm(options, () => setPreview(false));
  const { data: facets } = useQuery(facetsQuery);
  const id = useId();
  useHotkeys({
    "mod+enter": () => void submit(),
    "alt+p": () => setPreview((current) => !current),
  });
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
            dir="auto"
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
              dir="auto"
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
      <DescriptionField
        id={`${id}-description`}
        value={values.description}
        error={errorOf("description")}
        savedAt={savedAt}
        isPreview={isPreview}
        onPreview={setPreview}
        onChange={(description) => edit({ description })}
      />
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
