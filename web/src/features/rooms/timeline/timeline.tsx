// The messages of a room, oldest first: under days, in groups, with a line where the new ones begin. The running
// answer and outgoing messages come last. It opens at the new messages and follows its end while the reader is there.
import { lazy, memo, Suspense, useCallback, useMemo, useRef, useState } from "react";
import type { RoomMessage } from "@/lib/api/types";
import { useHotkeys } from "@/lib/browser/hotkeys";
import { KeepPlace } from "@/ui/scroll/keep-place";
import { EndMark, LatestPill } from "@/ui/scroll/latest";
import { useReading } from "@/ui/scroll/use-reading";
import { useCurrentRoom, useRoomContext } from "../model/room-context";
import { firstNew } from "../model/room-state";
import { dayName, type Line, linesOf } from "./grouping";
import { NewRule, OpenAtNew } from "./new-messages";
import { PendingMessage } from "./pending-message";
import { EarlierMessages, RoomBeginning } from "./timeline-start";
import { useReadMark } from "./use-read-mark";
import { useRunningAnswer } from "./use-running-answer";

// Fetched in parallel with the page: the first frame needs no Markdown.
const messageModule = import("./message");
const Message = lazy(() => messageModule.then((module) => ({ default: module.Message })));

const NO_MESSAGES: RoomMessage[] = [];

interface LinesProps {
  lines: Line[];
  /** The name of the person who asked, by the id of the reply. */
  askers: Record<string, string>;
  editingId: string | null;
  onEdit: (id: string | null) => void;
}

const Lines = memo(function Lines({ lines, askers, editingId, onEdit }: LinesProps) {
  return lines.map(({ message, day, isNew, isHead }, index) => (
    <div key={message.id} className="contents">
      {day && <h2 className="rule mt-5 mb-1">{dayName(day)}</h2>}
      {isNew && <NewRule before={lines[index - 1]?.message} />}
      <Message
        message={message}
        isHead={isHead}
        asker={message.reply_id ? askers[message.reply_id] : undefined}
        isEditing={editingId === message.id}
        onEdit={onEdit}
      />
    </div>
  ));
});

/** Return how many messages by others arrived since the reader left the end. */
function useMissedCount(messages: RoomMessage[], away: boolean, me: string): number {
  const newest = messages.at(-1)?.seq ?? 0;
  const lastSeen = useRef(newest);
  if (!away) lastSeen.current = newest;
  return away
    ? messages.filter(({ seq, user_id }) => seq > lastSeen.current && user_id !== me).length
    : 0;
}

function useAskers(messages: RoomMessage[]): Record<string, string> {
  return useMemo(
    () =>
      Object.fromEntries(
        messages.flatMap((message) =>
          message.reply_id && !message.is_agent ? [[message.reply_id, message.name]] : [],
        ),
      ),
    [messages],
  );
}

export function Timeline() {
  const { id, me, onEdit } = useRoomContext();
  const messages = useCurrentRoom((view) => view.state?.messages ?? NO_MESSAGES);
  const newAfter = useCurrentRoom((view) => view.newAfter);
  const outbox = useCurrentRoom((view) => view.outbox);
  const editingId = useCurrentRoom((view) => view.editingId);
  const answer = useRunningAnswer();
  const newId = firstNew(messages, newAfter, me)?.id ?? null;
  const shown = useMemo(() => (answer ? [...messages, answer] : messages), [messages, answer]);
  const lines = useMemo(() => linesOf(shown, newId), [shown, newId]);
  const askers = useAskers(messages);
  const reading = useReading(id, "room", outbox.at(-1)?.id);
  const { box, content, toEnd } = reading;
  const [away, setAway] = useState(false);
  const missedCount = useMissedCount(messages, away, me);
  useReadMark(away);
  const onLatest = useCallback(() => {
    toEnd();
    box.current?.focus({ preventScroll: true });
  }, [toEnd, box]);
  useHotkeys({
    "alt+arrowdown": () => {
      toEnd();
      [...(box.current?.querySelectorAll<HTMLElement>("article") ?? [])].at(-1)?.focus();
    },
  });
  return (
    <div className="relative min-h-0 flex-1">
      <div
        ref={box}
        role="log"
        aria-live="off"
        aria-label="Messages"
        tabIndex={0}
        className="scroller h-full px-3 pt-5 md:px-7"
      >
        <div ref={content} className="flex min-h-full flex-col justify-end pb-3">
          <EarlierMessages />
          <KeepPlace box={box} chat={id} first={messages[0]?.id} />
          <Suspense fallback={null}>
            <RoomBeginning />
            <Lines lines={lines} askers={askers} editingId={editingId} onEdit={onEdit} />
            <OpenAtNew reading={reading} />
          </Suspense>
          {outbox.map((message) => (
            <PendingMessage key={message.id} message={message} />
          ))}
          <EndMark box={box} onAway={setAway} />
        </div>
      </div>
      {away && <LatestPill onClick={onLatest} count={missedCount} />}
    </div>
  );
}
