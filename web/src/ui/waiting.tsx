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

export function Waiting() {
  const isLong = useElapsed(true, 10_000);
  return (
    <div className="flex min-h-6 items-center gap-3">
      <span className="dots" aria-hidden="true">
        <i />
        <i />
        <i />
      </span>
      <span className="sr-only">Waiting for the first words</span>
      {isLong && <span className="text-[14px] text-dim">Still waiting for the model…</span>}
    </div>
  );
}
