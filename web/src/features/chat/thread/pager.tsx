// Chooses which version of a message is shown: `‹ 2/3 ›`. Arrow keys work while it has the focus. Buttons at an end stay
// focusable, so that the focus is never lost.
import { ChevronLeft, ChevronRight } from "lucide-react";
import { announce } from "../ask/store";

export interface Versions {
  at: number;
  count: number;
  onTurn: (at: number) => void;
}

interface PagerProps extends Versions {
  of: "question" | "answer";
}

export function Pager({ of, at, count, onTurn }: PagerProps) {
  if (count < 2) return null;
  const turn = (step: number) => {
    const next = at + step;
    if (next < 0 || next >= count) return;
    announce(`Version ${next + 1} of ${count} of the ${of}`);
    onTurn(next);
  };
  const button = (step: -1 | 1) => {
    const isEnd = step < 0 ? at === 0 : at === count - 1;
    const Icon = step < 0 ? ChevronLeft : ChevronRight;
    return (
      <button
        type="button"
        className="icon-button touch-area min-h-6 min-w-6 aria-disabled:opacity-40"
        aria-label={`${step < 0 ? "Previous" : "Next"} version of the ${of}`}
        aria-disabled={isEnd}
        onClick={() => turn(step)}
      >
        <Icon size={15} aria-hidden="true" />
      </button>
    );
  };
  return (
    <div
      role="group"
      aria-label={`Version ${at + 1} of ${count} of the ${of}`}
      className="flex shrink-0 items-center"
      onKeyDown={(event) => {
        if (event.key !== "ArrowLeft" && event.key !== "ArrowRight") return;
        event.preventDefault();
        turn(event.key === "ArrowLeft" ? -1 : 1);
      }}
    >
      {button(-1)}
      <span className="meta min-w-[3ch] text-center" aria-hidden="true">
        {at + 1}/{count}
      </span>
      {button(1)}
    </div>
  );
}
