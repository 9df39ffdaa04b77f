// Draws an answer of the tutor: its growing text, why it ended early, its quotes, and the footer.
import { Link } from "react-router";
import type { Citation } from "@/lib/api/types";
import { StreamingMarkdown } from "@/markdown/streaming";
import { Button } from "@/ui/button";
import { Thought } from "@/ui/thought";
import { useChat } from "../ask/store";
import { AnswerFooter, type AnswerFooterProps } from "./answer-footer";
import { Heading } from "./heading";

interface AnswerProps extends Omit<AnswerFooterProps, "onAgain"> {
  /** The key of the turn whose growing text this answer shows. */
  turn: string | undefined;
  stopping: boolean;
  /** Asks the question again; null if that is not possible. */
  onAgain: (() => void) | null;
  /** Asks for the rest of an answer that reached the maximum length; null if that is not possible. */
  onContinue: (() => void) | null;
}

/** Shows why an answer ended early, with the button that may help. */
function Ending({
  message,
  onAgain,
  onContinue,
}: Pick<AnswerProps, "message" | "onAgain" | "onContinue">) {
  const { status, error } = message;
  if (message.finish_reason === "length") {
    return (
      <div className="mt-2 flex flex-wrap items-center gap-x-3 gap-y-2 rounded-md bg-panel px-3 py-2 text-[14px] text-soft">
        <span>The answer reached the model's maximum length.</span>
        {onContinue && <Button onClick={onContinue}>Continue</Button>}
      </div>
    );
  }
  if (status === "complete" || status === "streaming") return null;
  const words =
    status === "stopped"
      ? "The answer ends here."
      : status === "interrupted"
        ? "The server stopped while answering."
        : (error?.error ?? "The answer failed.");
  return (
    <div
      className={`mt-2 flex flex-wrap items-center gap-x-3 gap-y-2 rounded-md px-3 py-2 text-[14px] ${
        status === "stopped" ? "bg-panel text-soft" : "bg-warn-bg text-warn"
      }`}
    >
      <span className="min-w-0 break-words">
        <strong className="me-2 font-mono text-[12px] font-semibold uppercase">{status}</strong>
        {words}
      </span>
      {onAgain && status !== "stopped" && <Button onClick={onAgain}>Retry</Button>}
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
              “<bdi>{citation.quote}</bdi>”
            </Link>
          </li>
        ))}
      </ul>
    </div>
  );
}

/** Draws the text, which is the only part drawn again while it grows. */
function Text({ message, turn, stopping }: Pick<AnswerProps, "message" | "turn" | "stopping">) {
  const streaming = message.status === "streaming";
  const growing = useChat((state) => (turn ? state.growing[turn] : undefined));
  const text = growing ?? message.content;
  return (
    <>
      <Thought replyId={message.id} saved={message.thinking} isWaiting={streaming && text === ""} />
      {text !== "" && <StreamingMarkdown text={text} streaming={streaming && !stopping} />}
    </>
  );
}

export function Answer({ turn, stopping, onAgain, onContinue, ...foot }: AnswerProps) {
  const { message } = foot;
  const mayHelp = message.error?.retryable !== false;
  const again = mayHelp ? onAgain : null;
  const endedWell = message.status === "complete" || message.status === "stopped";
  return (
    <>
      <Heading message={message} />
      <Text key={message.id} message={message} turn={turn} stopping={stopping} />
      <Ending message={message} onAgain={again} onContinue={onContinue} />
      {message.status !== "streaming" && <Citations citations={message.citations} />}
      <AnswerFooter {...foot} onAgain={endedWell ? again : null} />
    </>
  );
}
