// What a model thinks, folded away: "Thinking…" until its first words, "Thought" afterwards.
import { ChevronRight } from "lucide-react";
import { useThoughts } from "@/lib/streams/thoughts";
import { Dots, Waiting } from "./waiting";

interface ThoughtProps {
  replyId: string;
  /** The thinking of a saved answer. */
  saved?: string | null | undefined;
  /** Whether the answer has no words yet. */
  isWaiting: boolean;
}

export function Thought({ replyId, saved, isWaiting }: ThoughtProps) {
  const running = useThoughts((thoughts) => thoughts[replyId]);
  const text = running?.delta || saved;
  if (!text) return isWaiting && <Waiting isLoading={running?.is_loading ?? false} />;
  return (
    <details className="thought mb-2 text-[14px] text-soft">
      <summary className="inline-flex min-h-6 cursor-pointer items-center gap-1.5 rounded text-dim pointer-coarse:min-h-10">
        <ChevronRight size={14} aria-hidden="true" />
        {isWaiting ? "Thinking…" : "Thought"}
        {isWaiting && <Dots />}
      </summary>
      <p dir="auto" className="words mt-1 border-s-2 border-line ps-3">
        {text}
      </p>
    </details>
  );
}
