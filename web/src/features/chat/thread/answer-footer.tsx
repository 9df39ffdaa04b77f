// The line under an answer: model, tokens and time, the versions, and the buttons to copy, ask again and rate. It has its
// height while the answer grows, so that nothing moves when it ends.
import { useState } from "react";
import type { Message } from "@/lib/api/types";
import { CopyButton } from "@/ui/copy-button";
import { Pager, type Versions } from "./pager";
import { Thumbs, useRating } from "./rating";
import { Reason } from "./reason";

export interface AnswerFooterProps {
  message: Message;
  versions: Versions;
  /** Null if a rating cannot be saved: for an earlier version, or in a chat without an id yet. */
  sessionId: string | null;
  onAgain: (() => void) | null;
}

function seconds(message: Message): string {
  const ms = Date.parse(message.ended_at ?? "") - Date.parse(message.created_at);
  return ms >= 50 && ms < 3_600_000 ? `${(ms / 1_000).toFixed(1)} s` : "";
}

/** Return the facts of an answer, such as "gemini-3.8-flash · 412 tokens · 3.2 s". */
export function factsOf(message: Message): string {
  const tokens = message.usage?.output_tokens;
  const facts = [
    message.model?.replace(/^[^:]*:/, ""), // without the provider
    tokens ? `${tokens.toLocaleString("en")} ${tokens === 1 ? "token" : "tokens"}` : "",
    seconds(message),
  ];
  return facts.filter(Boolean).join(" · ");
}

export function AnswerFooter({ message, versions, sessionId, onAgain }: AnswerFooterProps) {
  const rating = useRating(sessionId, message);
  const [explainedId, setExplainedId] = useState("");
  const isOver = message.status !== "streaming";
  const isEarlier = versions.at < versions.count - 1;
  const facts = isOver ? [isEarlier ? "earlier version" : "", factsOf(message)] : [];
  const mayRate = isOver && message.content !== "" && sessionId !== null;
  const onReason = (isOpen: boolean) => setExplainedId(isOpen ? message.id : "");
  return (
    <div className="mt-1.5 flex flex-wrap items-center gap-x-3">
      <span className="meta min-h-5 max-w-full truncate max-md:basis-full">
        {facts.filter(Boolean).join(" · ")}
      </span>
      <div className="flex min-h-7 items-center gap-x-1 pointer-coarse:min-h-10 max-md:-ms-1.5">
        {isOver && <Pager of="answer" {...versions} />}
        {isOver && message.content && (
          <CopyButton
            text={message.content}
            label="Copy answer"
            className="text-button turn-action pointer-coarse:min-h-10"
          />
        )}
        {isOver && onAgain && (
          <button
            type="button"
            className="text-button turn-action pointer-coarse:min-h-10"
            onClick={onAgain}
          >
            Regenerate
          </button>
        )}
        {mayRate && <Thumbs {...rating} onDown={() => onReason(true)} />}
      </div>
      {mayRate && <Reason {...rating} isOpen={explainedId === message.id} onOpen={onReason} />}
    </div>
  );
}
