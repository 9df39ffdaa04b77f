// The transcript: exchanges, each in a box of its own. The one asked here fills at least the view, so that
// its question stands at the top and the answer grows below it. Earlier messages come in without moving
// what is being read.
import { lazy, memo, type ReactNode, Suspense, useCallback, useMemo, useState } from "react";
import type { Message } from "@/lib/api/types";
import { useHotkeys } from "@/lib/browser/hotkeys";
import { Button } from "@/ui/button";
import { KeepPlace } from "@/ui/scroll/keep-place";
import { EndMark, LatestPill } from "@/ui/scroll/latest";
import { useReading } from "@/ui/scroll/use-reading";
import type { TurnActions } from "./question";
import { type Entry, exchanges } from "./thread";
import { type Found, useFound } from "./use-jump-to-message";

// Fetched beside the page, not before it: the first frame needs no Markdown.
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
  /** Only where the transcript was entered at a found message. */
  later: More & { toNewest: () => void };
  found: Found | null;
  start: ReactNode;
  onAskAgain: (question: Message, text: string) => void;
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

/** The exchange that was asked here: its box keeps the height of the view until another one is asked. */
function useAsked(entries: Entry[], last: string | undefined) {
  const live = entries.at(-1)?.turn;
  const now = live?.own ? live.key : undefined;
  const [asked, setAsked] = useState<{ turn?: string; exchange?: string }>({});
  if (now && last && now !== asked.turn) setAsked({ turn: now, exchange: last });
  return asked;
}

export function ThreadView(props: ThreadViewProps) {
  const { chat, sessionId, entries, leftOut, answering, earlier, later, found } = props;
  const { start, onAskAgain } = props;
  const list = useMemo(() => exchanges(entries), [entries]);
  const last = list.at(-1)?.key;
  const asked = useAsked(entries, last);
  const reading = useReading(chat, last, asked.turn);
  const { box, content, hold, toEnd } = reading;
  useFound(reading, found, list);
  const [away, setAway] = useState(false);
  const actions = useMemo<TurnActions>(
    () => ({ sessionId, askAgain: onAskAgain, hold }),
    [sessionId, onAskAgain, hold],
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
              const isTall = isLast && exchange.key === asked.exchange;
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
