// Leads back to the end of a transcript: a mark after the last message, observed without measuring, and a button that is
// shown while the mark is below the view.
import { ArrowDown } from "lucide-react";
import { type RefObject, useEffect, useRef } from "react";

interface EndMarkProps {
  box: RefObject<HTMLElement | null>;
  onAway: (away: boolean) => void;
}

export function EndMark({ box, onAway }: EndMarkProps) {
  const mark = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!mark.current) return;
    const observer = new IntersectionObserver(
      ([entry]) => {
        if (!entry) return;
        const bottom = entry.rootBounds?.bottom ?? 0;
        onAway(!entry.isIntersecting && entry.boundingClientRect.top >= bottom);
      },
      { root: box.current, rootMargin: "0px 0px 16px 0px" },
    );
    observer.observe(mark.current);
    return () => {
      observer.disconnect();
      onAway(false);
    };
  }, [box, onAway]);
  return <div ref={mark} aria-hidden="true" className="h-px" />;
}

interface LatestPillProps {
  onClick: () => void;
  /** The number of new messages below the view. */
  count?: number;
}

export function LatestPill({ onClick, count = 0 }: LatestPillProps) {
  return (
    <button
      type="button"
      className="chip absolute inset-x-0 bottom-3 mx-auto min-h-8 w-fit bg-raise text-text shadow-overlay"
      onClick={onClick}
    >
      {count > 0 ? `Latest (${count})` : "Latest"} <ArrowDown size={13} aria-hidden="true" />
    </button>
  );
}
