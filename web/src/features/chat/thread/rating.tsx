// Rates an answer: thumb up or down. The rating is shown at once and saved by the server; if that fails, a sentence says
// why.
import { ThumbsDown, ThumbsUp } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { api } from "@/lib/api/client";
import { sentenceOf } from "@/lib/api/problem";
import type { Feedback, Message } from "@/lib/api/types";
import { announceChange } from "../ask/channel";

interface Unsaved {
  id: string;
  pending?: Feedback | null;
  problem: string;
}

export interface Rating {
  feedback: Feedback | null;
  problem: string;
  /** Save a rating. Returns whether it was saved. */
  rate: (feedback: Feedback | null) => Promise<boolean>;
}

/** Return the rating of a message: the saved one, or the one on its way to the server. */
export function useRating(sessionId: string | null, message: Message): Rating {
  const [state, setState] = useState<Unsaved>({ id: message.id, problem: "" });
  const { pending, problem } =
    state.id === message.id ? state : { pending: undefined, problem: "" };
  const saved = message.feedback;
  const latest = useRef(0);
  const isSaving = useRef(false);
  // biome-ignore lint/correctness/useExhaustiveDependencies: a saved rating replaces the pending one
  useEffect(() => {
    if (!isSaving.current) setState((now) => ({ ...now, pending: undefined }));
  }, [saved?.thumb, saved?.reason]);
  const rate = async (feedback: Feedback | null) => {
    if (!sessionId) return false;
    const attempt = ++latest.current;
    const { id } = message;
    isSaving.current = true;
    setState({ id, pending: feedback, problem: "" });
    try {
      await api.updateChatMessage(sessionId, id, feedback);
      return true;
    } catch (error) {
      if (attempt === latest.current) setState({ id, problem: `Not saved. ${sentenceOf(error)}` });
      return false;
    } finally {
      if (attempt === latest.current) {
        isSaving.current = false;
        announceChange(sessionId);
      }
    }
  };
  return { feedback: pending === undefined ? saved : pending, problem, rate };
}

interface ThumbsProps extends Rating {
  onDown: () => void;
}

export function Thumbs({ feedback, rate, onDown }: ThumbsProps) {
  const button = (thumb: "up" | "down") => {
    const isOn = feedback?.thumb === thumb;
    const Icon = thumb === "up" ? ThumbsUp : ThumbsDown;
    return (
      <button
        type="button"
        className={`icon-button pointer-coarse:min-h-10 pointer-coarse:min-w-10 ${isOn ? "text-accent" : "turn-action"}`}
        aria-label={thumb === "up" ? "Good answer" : "Bad answer"}
        aria-pressed={isOn}
        onClick={() => {
          void rate(isOn ? null : { thumb, reason: "" });
          if (thumb === "down" && !isOn) onDown();
        }}
      >
        <Icon size={15} fill={isOn ? "currentColor" : "none"} aria-hidden="true" />
      </button>
    );
  };
  return (
    <>
      {button("up")}
      {button("down")}
    </>
  );
}
