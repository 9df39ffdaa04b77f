// The parts of a small form in a dialog: a labelled field with its hint or problem, a problem of the whole form, and the
// button that submits it.
import { type InputHTMLAttributes, type ReactNode, type Ref, useId } from "react";
import { Problem, sentenceOf } from "@/lib/api/problem";
import { Button } from "../button";

/** Return what a refused call says about a field, or "". */
export function fieldError(error: unknown, field: string): string {
  if (!(error instanceof Problem)) return "";
  return error.errors.find((problem) => problem.field === field)?.message ?? "";
}

/** Return what a failed call says about the whole form, or "" if one of `fields` shows a problem. */
export function formError(error: unknown, fields: string[]): string {
  if (!error) return "";
  if (fields.some((field) => fieldError(error, field))) return "";
  return sentenceOf(error);
}

interface TextFieldProps extends InputHTMLAttributes<HTMLInputElement> {
  label: string;
  hint?: ReactNode;
  problem?: string;
  /** A field with a ref is not focused at the start. */
  ref?: Ref<HTMLInputElement>;
}

/** Set the attribute by which an opening dialog chooses its focus: React would focus before it opens. */
const markFocus = (node: HTMLInputElement | null) => node?.setAttribute("autofocus", "");

export function TextField({ label, hint, problem, autoFocus, ref, ...input }: TextFieldProps) {
  const id = useId();
  const note = `${id}-note`;
  const noteText = problem || hint;
  return (
    <div className="grid gap-1">
      <label htmlFor={id} className="text-[14px] font-[550]">
        {label}
      </label>
      <input
        id={id}
        ref={ref ?? (autoFocus ? markFocus : undefined)}
        dir="auto"
        className="field h-10"
        aria-invalid={Boolean(problem)}
        aria-describedby={noteText ? note : undefined}
        {...input}
      />
      {noteText && (
        <p
          id={note}
          role={problem ? "alert" : undefined}
          className={problem ? "text-[13px] text-danger" : "text-[13px] text-dim"}
        >
          {noteText}
        </p>
      )}
    </div>
  );
}

interface FormFooterProps {
  problem: string;
  label: string;
  /** The label while the form is submitted, else null. */
  busy: string | null;
  children?: ReactNode;
}

export function FormFooter({ problem, label, busy, children }: FormFooterProps) {
  return (
    <>
      {problem && (
        <p role="alert" className="text-[14px] text-danger">
          {problem}
        </p>
      )}
      <div className="mt-1 flex flex-wrap items-center justify-end gap-2">
        {children}
        <Button type="submit" weight="primary" disabled={busy !== null}>
          {busy ?? label}
        </Button>
      </div>
    </>
  );
}
