// The list of names above the composer, to choose whom to mention.
import { cn } from "@/ui/cn";
import type { MentionCompletion } from "./use-mentions";

export function MentionList({ completion, chosen, listId, onChoose }: MentionCompletion) {
  return (
    <div
      id={listId}
      role="listbox"
      aria-label="People and the tutor"
      tabIndex={-1}
      className="absolute bottom-full inset-s-3 z-10 mb-1 max-h-64 min-w-56 overflow-y-auto rounded-lg border border-line bg-bg p-1 shadow-overlay md:inset-s-7"
    >
      {completion?.candidates.map((candidate, index) => (
        // biome-ignore lint/a11y/useKeyWithClickEvents: the field below has the keys
        <div
          key={candidate.id}
          id={`${listId}-${index}`}
          role="option"
          tabIndex={-1}
          aria-selected={index === chosen}
          className={cn(
            "flex min-h-9 cursor-pointer items-center gap-2 rounded-md px-2.5 text-[14px] pointer-coarse:min-h-11",
            index === chosen && "bg-raise",
          )}
          onPointerDown={(event) => event.preventDefault()} // the field keeps the focus
          onClick={() => onChoose(candidate)}
        >
          <span dir="auto" className="min-w-0 truncate">
            @{candidate.name}
          </span>
          {candidate.isTutor && <span className="ai-tag">AI</span>}
        </div>
      ))}
    </div>
  );
}
