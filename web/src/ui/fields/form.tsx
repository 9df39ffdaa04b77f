// The pieces of a small form in a dialog: a labelled field with its hint or what is wrong with it, a sentence for
// the whole, and the button that sends it.
import { type InputHTMLAttributes, type ReactNode, type Ref, useId } from "react";
import { Problem } from "@/lib/api/problem";
import { Button } from "../button";

/** What a refused call says about one field; "" when nothing. */
export function fieldError(error: unknown, field: string): string {
  if (!(error instanceof Problem)) return "";
  return error.errors.find((one) => one.field === field)?.message ?? "";
}

/** What it says about the whole, where no field of these says it. */
export function formError(error: unknown, fields: string[]): string {
  if (!error) return "";
  if (fields.some((field) => fieldError(error, field))) return "";
  return error instanceof Error ? error.message : "Something unexpected happened.";
}

interface TextFieldProps extends InputHTMLAttributes<HTMLInputElement> {
  label: string;
  hint?: ReactNode;
  problem?: string;
  /** A field with a ref of its own is not focused at the start. */
  ref?: Ref<HTMLInputElement>;
}

/** React focuses before a dialog opens, which then looks for this attribute. */
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

interface FormFootProps {
  problem: string;
  label: string;
  /** While it is sent. */
  busy: string | null;
  children?: ReactNode;
}

export function FormFoot({ problem, label, busy, children }: FormFootProps) {
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
