// The line under an answer: model, tokens and time; its versions; copy, ask again, and what the reader
// thinks of it. It has its height while the answer grows, so that nothing moves when that ends.
import { useState } from "react";
import type { Message } from "@/lib/types";
import { CopyButton } from "@/ui/copy-button";
import { Pager, type Versions } from "./pager";
import { Reason, Thumbs, useRating } from "./rating";

export interface AnswerFootProps {
  message: Message;
  versions: Versions;
  /** Null where its opinion cannot be saved: it is an earlier version, or its chat is not known yet. */
  sessionId: string | null;
  onAgain: (() => void) | null;
}

function seconds(message: Message): string {
  const ms = Date.parse(message.ended_at ?? "") - Date.parse(message.created_at);
  return ms >= 50 && ms < 3_600_000 ? `${(ms / 1_000).toFixed(1)} s` : "";
}

/** "gemini-3.8-flash · 412 tokens · 3.2 s" */
export function factsOf(message: Message): string {
  const tokens = message.usage?.output_tokens;
  const facts = [
    message.model?.replace(/^[^:]*:/, ""), // without the provider
    tokens ? `${tokens.toLocaleString("en")} ${tokens === 1 ? "token" : "tokens"}` : "",
    seconds(message),
  ];
  return facts.filter(Boolean).join(" · ");
}

function Opinion({ sessionId, message }: { sessionId: string; message: Message }) {
  const rating = useRating(sessionId, message);
  const [isOpen, setOpen] = useState(false);
  const { feedback, problem } = rating;
  const asksReason = isOpen && (feedback?.thumb === "down" || problem !== "");
  const reason = feedback?.thumb === "down" ? feedback.reason : "";
  return (
    <>
      <Thumbs {...rating} onDown={() => setOpen(true)} />
      {(asksReason || reason || problem) && (
        <div className="order-last basis-full pb-1 text-[14px]">
          {problem && (
            <p role="alert" className="text-danger">
              {problem}
            </p>
          )}
          {asksReason ? (
            <Reason {...rating} onClose={() => setOpen(false)} />
          ) : (
            reason && (
              <p className="break-words text-dim">
                You wrote: “{reason}”{" "}
                <button type="button" className="text-button" onClick={() => setOpen(true)}>
                  Change
                </button>
              </p>
            )
          )}
        </div>
      )}
    </>
  );
}

export function AnswerFoot({ message, versions, sessionId, onAgain }: AnswerFootProps) {
  if (message.status === "streaming") {
    return (
      <div
        aria-hidden="true"
        className="mt-1.5 min-h-7 max-md:min-h-12 pointer-coarse:min-h-[60px]"
      />
    );
  }
  const isEarlier = versions.at < versions.count - 1;
  const facts = [isEarlier ? "earlier version" : "", factsOf(message)].filter(Boolean);
  return (
    <div className="mt-1.5 flex flex-wrap items-center gap-x-3 max-md:flex-col max-md:items-start">
      <span className="meta min-h-5 max-w-full truncate">{facts.join(" · ")}</span>
      <div className="flex min-h-7 w-full flex-1 flex-wrap items-center gap-x-1 pointer-coarse:min-h-10 max-md:-ml-1.5">
        <Pager of="answer" {...versions} />
        <div className="turn-action contents">
          {message.content && (
            <CopyButton
              text={message.content}
              label="Copy answer"
              className="text-button pointer-coarse:min-h-10"
            />
          )}
          {onAgain && (
            <button type="button" className="text-button pointer-coarse:min-h-10" onClick={onAgain}>
              Regenerate
            </button>
          )}
          {message.content && sessionId && (
            <Opinion key={message.id} sessionId={sessionId} message={message} />
          )}
        </div>
      </div>
    </div>
  );
}
