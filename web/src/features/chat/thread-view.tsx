// The transcript: follows the growing answer only while its reader is at the bottom, offers "Latest"
// when not, and loads earlier messages without moving what is being read.
import { ArrowDown } from "lucide-react";
import { lazy, type ReactNode, Suspense, useLayoutEffect } from "react";
import { useStickToBottom } from "use-stick-to-bottom";
import { Button } from "@/ui/button";
import { KeepPlace } from "./keep-place";
import type { Entry } from "./thread";

// Fetched beside the page, not before it: the first frame needs no Markdown.
const message = import("./message");
const MessageView = lazy(() => message.then((module) => ({ default: module.MessageView })));

interface ThreadViewProps {
  chat: string;
  entries: Entry[];
  leftOut: number;
  answering: boolean;
  earlier: { available: boolean; loading: boolean; load: () => void };
  start: ReactNode;
  onAskAgain: (text: string) => void;
}

export function ThreadView(props: ThreadViewProps) {
  const { chat, entries, leftOut, answering, earlier, start, onAskAgain } = props;
  const { scrollRef, contentRef, isAtBottom, scrollToBottom } = useStickToBottom({
    resize: "instant",
    initial: "instant",
  });
  const last = entries.at(-1);
  // Another chat begins at its end, and one's own question is always brought into view.
  const asked = last?.turn?.question ? last.key : undefined;
  useLayoutEffect(() => {
    if (asked || chat) void scrollToBottom({ animation: "instant" });
  }, [asked, chat, scrollToBottom]);

  return (
    <div className="relative min-h-0 flex-1">
      <div
        ref={scrollRef}
        role="log"
        aria-live="off"
        aria-label="Chat"
        tabIndex={0}
        className="scroller h-full px-4 pt-5 [scrollbar-gutter:stable_both-edges] md:px-7"
      >
        <div ref={contentRef} className="mx-auto max-w-[72ch] pb-5">
          {earlier.available && (
            <div className="mb-5 text-center">
              <Button weight="quiet" disabled={earlier.loading} onClick={earlier.load}>
                {earlier.loading ? "Loading…" : "Show earlier messages"}
              </Button>
            </div>
          )}
          {entries.length === 0 && start}
          <KeepPlace box={scrollRef} chat={chat} first={entries[0]?.key} />
          <Suspense fallback={null}>
            {entries.map(({ key, message, turn }, index) => {
              const question = entries[index - 1]?.message;
              const failed =
                message.role === "assistant" && /failed|interrupted/.test(message.status);
              const retry =
                failed && !answering && index === entries.length - 1 && question?.role === "user"
                  ? () => onAskAgain(question.content)
                  : null;
              return (
                <MessageView
                  key={key}
                  message={message}
                  turn={turn?.key}
                  stopping={turn?.stopping ?? false}
                  onRetry={retry}
                />
              );
            })}
          </Suspense>
          {leftOut > 0 && (
            <p className="meta mb-4 text-center">
              {leftOut} earlier {leftOut === 1 ? "message was" : "messages were"} left out of what
              the model sees
            </p>
          )}
        </div>
      </div>
      {!isAtBottom && entries.length > 0 && (
        <button
          type="button"
          className="chip absolute bottom-3 left-1/2 -translate-x-1/2 bg-raise shadow-overlay"
          onClick={() => void scrollToBottom({ animation: "instant" })}
        >
          <ArrowDown size={13} aria-hidden="true" /> Latest
        </button>
      )}
    </div>
  );
}
