// A labelled form field with a hint or its error, wired for assistive technology.
import type { ReactNode } from "react";

interface Aria {
  id: string;
  "aria-invalid": boolean;
  "aria-describedby": string;
}

interface FieldProps {
  id: string;
  label: string;
  error?: string;
  hint?: ReactNode;
  aside?: ReactNode;
  children: (aria: Aria) => ReactNode;
}

export function Field({ id, label, error, hint, aside, children }: FieldProps) {
  const note = `${id}-note`;
  return (
    <div>
      <div className="mb-1 flex min-h-6 items-center justify-between gap-3">
        <label htmlFor={id} className="font-[550]">
          {label}
        </label>
        {aside}
      </div>
      {children({ id, "aria-invalid": error !== undefined, "aria-describedby": note })}
      <div id={note} className="mt-1 text-[13px] leading-5 text-dim">
        {error ? (
          <span role="alert" className="text-danger">
            {error}
          </span>
        ) : (
          hint
        )}
      </div>
    </div>
  );
}
