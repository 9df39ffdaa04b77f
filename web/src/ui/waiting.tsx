// Shows that an answer has not begun: three dots, and after ten seconds a sentence.
import { useEffect, useState } from "react";

/** Return whether `active` has lasted for the given time since it last changed. */
export function useElapsed(active: boolean, ms: number): boolean {
  const [isOver, setOver] = useState(false);
  useEffect(() => {
    setOver(false);
    if (!active) return;
    const timer = setTimeout(() => setOver(true), ms);
    return () => clearTimeout(timer);
  }, [active, ms]);
  return active && isOver;
}

export function Dots() {
  return (
    <span className="dots" aria-hidden="true">
      <i />
      <i />
      <i />
    </span>
  );
}

interface WaitingProps {
  /** Whether the server is still loading the model. */
  isLoading: boolean;
}

export function Waiting({ isLoading }: WaitingProps) {
  const isLong = useElapsed(true, 10_000);
  const words = isLoading ? "The model is loading…" : isLong && "Still waiting for the model…";
  return (
    <div className="flex min-h-6 items-center gap-3">
      <Dots />
      <span className="sr-only">Waiting for the first words</span>
      {words && (
        <span role="status" className="text-[14px] text-dim">
          {words}
        </span>
      )}
    </div>
  );
}
