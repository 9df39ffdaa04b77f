// Shows that a part of the page loads (only after 150 ms), is empty, or failed, with the reason and a Retry button.
import { type ReactNode, useEffect, useState } from "react";
import { sentenceOf } from "@/lib/api/problem";
import { Button } from "./button";

/** Return whether `active` has lasted for the given time, so that fast answers flash no skeleton. */
export function useDelayed(active: boolean, ms = 150): boolean {
  const [late, setLate] = useState(false);
  useEffect(() => {
    if (!active) {
      setLate(false);
      return;
    }
    const timer = setTimeout(() => setLate(true), ms);
    return () => clearTimeout(timer);
  }, [active, ms]);
  return active && late;
}

export function Skeleton({ className }: { className: string }) {
  return <div aria-hidden="true" className={`skeleton ${className}`} />;
}

interface NoticeProps {
  title: string;
  children?: ReactNode;
  actions?: ReactNode;
  /** "h1" where the notice is all that the page shows. */
  heading?: "h1" | "h2";
}

export function Notice({ title, children, actions, heading: Heading = "h2" }: NoticeProps) {
  return (
    <div className="mx-auto max-w-[52ch] px-4 py-14 text-center">
      <Heading dir="auto" className="text-[17px] font-semibold text-balance">
        {title}
      </Heading>
      {children && <div className="mt-1.5 text-soft text-pretty">{children}</div>}
      {actions && <div className="mt-5 flex flex-wrap justify-center gap-2">{actions}</div>}
    </div>
  );
}

interface FailureProps {
  title: string;
  error: unknown;
  onRetry: () => void;
  heading?: "h1" | "h2";
}

export function Failure({ title, error, onRetry, heading }: FailureProps) {
  const reason = sentenceOf(error);
  return (
    <div role="alert">
      <Notice title={title} heading={heading} actions={<Button onClick={onRetry}>Retry</Button>}>
        <p>{reason}</p>
      </Notice>
    </div>
  );
}
