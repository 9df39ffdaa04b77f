// Draws the transcript, each exchange in a box. The box of a question sent from this tab fills at least the view, so that
// the question is at the top and its answer grows below. Loading earlier messages does not move the view.
import { lazy, memo, type ReactNode, Suspense, useCallback, useMemo, useState } from "react";
import type { Message } from "@/lib/api/types";
import { useHotkeys } from "@/lib/browser/hotkeys";
import { Button } from "@/ui/button";
import { KeepPlace } from "@/ui/scroll/keep-place";
import { EndMark, LatestPill } from "@/ui/scroll/latest";
import { useReading } from "@/ui/scroll/use-reading";
import type { TurnActions } from "./question";
import { type Entry, exchanges } from "./thread";
import { type JumpTarget, useJumpToMessage } from "./use-jump-to-message";

// Loaded beside the page, not before it: the first frame needs no Markdown.
const turn = import("./turn");
const Turn = lazy(() => turn.then((module) => ({ default: module.Turn })));

interface More {
  available: boolean;
  loading: boolean;
  load: () => void;
}

interface ThreadViewProps {
  chat: string;
  sessionId: string | null;
  entries: Entry[];
  leftOut: number;
  answering: boolean;
  earlier: More;
  /** Available only if the transcript was entered at a message. */
  later: More & { toNewest: () => void };
  target: JumpTarget | null;
  start: ReactNode;
  onAskAgain: (question: Message, text: string) => void;
  onContinue: () => void;
}

function ShowMore({ more, label }: { more: More; label: string }) {
  return (
    <div className="mb-5 text-center">
      <Button weight="quiet" disabled={more.loading} onClick={more.load}>
        {more.loading ? "Loading…" : label}
      </Button>
    </div>
  );
}

const LeftOut = memo(function LeftOut({ count }: { count: number }) {
  if (count === 0) return null;
  return (
    <p className="meta mb-4 text-center">
      {count} earlier {count === 1 ? "message was" : "messages were"} left out of what the model
      sees
    </p>
  );
});

/** Return the exchange that was last sent from this tab. Its box has the height of the view until the next one. */
function useSentHere(entries: Entry[], last: string | undefined) {
  const live = entries.at(-1)?.turn;
  const now = live?.isSentHere ? live.key : undefined;
  const [sent, setSent] = useState<{ turn?: string; exchange?: string }>({});
  if (now && last && now !== sent.turn) setSent({ turn: now, exchange: last });
  return sent;
}

export function ThreadView(props: ThreadViewProps) {
  const { chat, sessionId, entries, leftOut, answering, earlier, later, target } = props;
  const { start, onAskAgain, onContinue } = props;
  const list = useMemo(() => exchanges(entries), [entries]);
  const last = list.at(-1)?.key;
  const sent = useSentHere(entries, last);
  const reading = useReading(chat, last, sent.turn);
  const { box, content, hold, toEnd } = reading;
  useJumpToMessage(reading, target, list);
  const [away, setAway] = useState(false);
  const actions = useMemo<TurnActions>(
    () => ({ sessionId, askAgain: onAskAgain, continueAnswer: onContinue, hold }),
    [sessionId, onAskAgain, onContinue, hold],
  );
  const onLatest = useCallback(() => {
    if (later.available) return later.toNewest();
    toEnd();
    box.current?.focus({ preventScroll: true });
  }, [toEnd, box, later]);
  const onNewest = () => {
    const articles = box.current?.querySelectorAll<HTMLElement>("[data-role=assistant]");
    const newest = articles?.item(articles.length - 1);
    if (!newest) return;
    hold();
    newest.scrollIntoView({ block: "start" });
    newest.focus({ preventScroll: true });
  };
  useHotkeys({ "alt+arrowdown": onNewest });

  return (
    <div className="relative min-h-0 flex-1">
      <div
        ref={box}
        role="log"
        aria-live="off"
        aria-label="Chat"
        tabIndex={0}
        className="thread scroller h-full px-4 pt-5 [scrollbar-gutter:stable_both-edges] md:px-7"
      >
        <div ref={content} className="mx-auto max-w-[72ch] pb-5">
          {earlier.available && <ShowMore more={earlier} label="Show earlier messages" />}
          {entries.length === 0 && start}
          <KeepPlace box={box} chat={chat} first={entries[0]?.key} />
          <Suspense fallback={null}>
            {list.map((exchange, index) => {
              const isLast = index === list.length - 1;
              const isTall = isLast && exchange.key === sent.exchange;
              return (
                <div key={exchange.key} className={isTall ? "turn turn-tall" : "turn"}>
                  <Turn exchange={exchange} isOpen={isLast && !answering} actions={actions} />
                  {isLast && <LeftOut count={leftOut} />}
                  {isLast && <EndMark box={box} onAway={setAway} />}
                </div>
              );
            })}
          </Suspense>
          {later.available && <ShowMore more={later} label="Show later messages" />}
        </div>
      </div>
      {away && <LatestPill onClick={onLatest} />}
    </div>
  );
}
