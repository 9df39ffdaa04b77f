// What the reader thinks of an answer: up, or down with an optional reason. Shown at once, saved by the
// server; where it refuses, a sentence says so and the reason stays in its field.
import { ThumbsDown, ThumbsUp } from "lucide-react";
import { type FormEvent, useEffect, useRef, useState } from "react";
import { request } from "@/lib/api";
import { isComposing } from "@/lib/hotkeys";
import type { Feedback, Message } from "@/lib/types";
import { Button } from "@/ui/button";
import { announceChange } from "./channel";

const save = (sessionId: string, messageId: string, feedback: Feedback | null) =>
  request<void>(
    `/chat/sessions/${encodeURIComponent(sessionId)}/messages/${encodeURIComponent(messageId)}`,
    { method: "PATCH", body: { feedback } },
  );

export interface Rating {
  feedback: Feedback | null;
  problem: string;
  /** Resolves to whether it was saved. */
  rate: (feedback: Feedback | null) => Promise<boolean>;
}

/** The saved opinion, or the one on its way to the server. */
export function useRating(sessionId: string, message: Message): Rating {
  const saved = message.feedback ?? null;
  const [pending, setPending] = useState<Feedback | null | undefined>();
  const [problem, setProblem] = useState("");
  const latest = useRef(0);
  const isSaving = useRef(false);
  // biome-ignore lint/correctness/useExhaustiveDependencies: what was saved shows itself from then on
  useEffect(() => {
    if (!isSaving.current) setPending(undefined);
  }, [saved?.thumb, saved?.reason]);
  const rate = async (feedback: Feedback | null) => {
    const mine = ++latest.current;
    isSaving.current = true;
    setPending(feedback);
    setProblem("");
    try {
      await save(sessionId, message.id, feedback);
      return true;
    } catch (error) {
      if (mine === latest.current) {
        setPending(undefined);
        setProblem(`Not saved. ${error instanceof Error ? error.message : ""}`);
      }
      return false;
    } finally {
      if (mine === latest.current) {
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
        className="icon-button pointer-coarse:min-h-10 pointer-coarse:min-w-10 aria-pressed:text-accent"
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

interface ReasonProps extends Rating {
  onClose: () => void;
}

/** The field for a reason; open until it was saved or put away. */
export function Reason({ feedback, rate, onClose }: ReasonProps) {
  const [text, setText] = useState(feedback?.reason ?? "");
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (await rate({ thumb: "down", reason: text.trim() })) onClose();
  };
  return (
    <form className="mt-1.5 flex flex-wrap gap-2" onSubmit={submit}>
      <input
        // biome-ignore lint/a11y/noAutofocus: opened by the press that asks for it
        autoFocus
        aria-label="What was wrong with the answer? Optional"
        placeholder="What was wrong? Optional"
        maxLength={1_000}
        autoComplete="off"
        className="field min-h-9 min-w-0 flex-1 basis-56 py-1"
        value={text}
        onChange={(event) => setText(event.target.value)}
        onKeyDown={(event) => {
          if (event.key === "Enter" && isComposing(event.nativeEvent)) event.preventDefault();
          if (event.key !== "Escape") return;
          event.stopPropagation();
          onClose();
        }}
      />
      <Button type="submit" disabled={text.trim() === ""}>
        Send
      </Button>
      <Button weight="quiet" onClick={onClose}>
        Not now
      </Button>
    </form>
  );
}
