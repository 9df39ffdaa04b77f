// One message as an article with a name: a person's as text, the tutor's as Markdown, with its ending
// in words and, below, what can be done with it.
import { memo } from "react";
import { Link } from "react-router";
import { clockTime, exactTime } from "@/lib/time";
import type { Citation, Message } from "@/lib/types";
import { Markdown } from "@/markdown/markdown";
import { Button } from "@/ui/button";
import { CopyButton } from "@/ui/copy-button";
import { useChat } from "./store";
import { Waiting } from "./waiting";

interface MessageViewProps {
  message: Message;
  /** The turn whose growing text this answer is. */
  turn: string | undefined;
  stopping: boolean;
  /** Asks the question before this answer again; absent where that makes no sense. */
  onRetry?: (() => void) | null;
}

function Heading({ message }: { message: Message }) {
  const tutor = message.role === "assistant";
  return (
    <h2 className="meta mb-0.5 flex gap-2.5">
      <span className={tutor ? "font-semibold text-accent" : "font-semibold text-soft"}>
        {tutor ? "tutor" : "you"}
      </span>
      <time dateTime={message.created_at} title={exactTime(message.created_at)}>
        {clockTime(message.created_at)}
      </time>
    </h2>
  );
}

/** The ending of an answer that did not end by itself, with Retry where it may help. */
function Ending({ message, onRetry }: Pick<MessageViewProps, "message" | "onRetry">) {
  const { status, error } = message;
  if (status === "complete" || status === "streaming") return null;
  const words =
    status === "stopped"
      ? "Stopped. This is what was written until then."
      : status === "interrupted"
        ? "Interrupted: the server went away while answering."
        : (error?.error ?? "The answer failed.");
  const mayRetry = onRetry && status !== "stopped" && error?.retryable !== false;
  return (
    <div
      className={`mt-2 flex flex-wrap items-center gap-x-3 gap-y-2 rounded-md px-3 py-2 text-[14px] ${
        status === "stopped" ? "bg-panel text-soft" : "bg-warn-bg text-warn"
      }`}
    >
      <span className="min-w-0 break-words">
        <strong className="mr-2 font-mono text-[12px] font-semibold uppercase">{status}</strong>
        {words}
      </span>
      {mayRetry && <Button onClick={onRetry}>Retry</Button>}
    </div>
  );
}

function Citations({ citations }: { citations: Citation[] }) {
  const quotes = citations.filter((citation) => citation.ticket_id);
  if (quotes.length === 0) return null;
  return (
    <div className="mt-3 text-[14px]">
      <h3 className="meta">Quoted from</h3>
      <ul className="mt-1 grid gap-1">
        {quotes.map((citation, index) => (
          <li key={index} className="flex gap-2">
            <span className="meta">{index + 1}</span>
            <Link to={`/tickets/${citation.ticket_id}`} className="link min-w-0 break-words">
              “{citation.quote}”
            </Link>
          </li>
        ))}
      </ul>
    </div>
  );
}

function seconds(message: Message): string {
  const ms = Date.parse(message.ended_at ?? "") - Date.parse(message.created_at);
  return ms >= 50 && ms < 3_600_000 ? `${(ms / 1_000).toFixed(1)} s` : "";
}

function Details({ message }: { message: Message }) {
  const tokens = message.usage?.output_tokens;
  const facts = [
    message.model?.split(":").at(-1),
    tokens ? `${tokens} tokens` : "",
    seconds(message),
  ].filter(Boolean);
  return (
    <div className="mt-1.5 flex min-h-6 flex-wrap items-center gap-x-2.5">
      {message.content && (
        <CopyButton text={message.content} label="Copy answer" className="text-button -ml-1.5" />
      )}
      <span className="meta">{facts.join(" · ")}</span>
    </div>
  );
}

/** The tutor's text, and the only thing drawn again while it grows. */
function Answer({ message, turn, stopping }: Omit<MessageViewProps, "onRetry">) {
  const streaming = message.status === "streaming";
  const growing = useChat((state) => (turn ? state.growing[turn] : undefined));
  const text = growing ?? message.content;
  if (text === "") return streaming && <Waiting />;
  return <Markdown text={text} streaming={streaming && !stopping} />;
}

export const MessageView = memo(function MessageView(props: MessageViewProps) {
  const { message, turn, stopping, onRetry } = props;
  const streaming = message.status === "streaming";
  const name = `${message.role === "assistant" ? "Tutor" : "You"}, ${clockTime(message.created_at)}`;
  return (
    <article aria-label={name} aria-busy={streaming} data-message={message.id} className="mb-6">
      <Heading message={message} />
      {message.role === "user" ? (
        <p className="border-l-2 border-line pl-3 break-words whitespace-pre-wrap">
          {message.content}
        </p>
      ) : (
        <>
          <Answer message={message} turn={turn} stopping={stopping} />
          <Ending message={message} onRetry={onRetry} />
          {!streaming && <Citations citations={message.citations ?? []} />}
          {!streaming && <Details message={message} />}
        </>
      )}
    </article>
  );
});
