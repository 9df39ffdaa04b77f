// What was said, oldest above: under days, in groups, with a line where the unread begin; the answer in the making
// and what is on its way at the end. It opens at the unread, and follows its end while the reader is there.
import { lazy, memo, Suspense, useCallback, useMemo, useRef, useState } from "react";
import { useHotkeys } from "@/lib/hotkeys";
import type { RoomMessage } from "@/lib/types";
import { KeepPlace } from "@/ui/keep-place";
import { EndMark, LatestPill } from "@/ui/latest";
import { useReading } from "@/ui/use-reading";
import { useHere, useRoomHere } from "../model/room-context";
import { firstNew } from "../model/room-state";
import { dayName, type Line, linesOf } from "./grouping";
import { Pending } from "./pending-message";
import { Beginning, Earlier, NewRule, Opening } from "./timeline-parts";
import { useReadMark } from "./use-read-mark";
import { useAnswer } from "./use-running-answer";

// Fetched beside the page, not before it: the first frame needs no Markdown.
const message = import("./message");
const Message = lazy(() => message.then((module) => ({ default: module.Message })));

const NONE: RoomMessage[] = [];

interface LinesProps {
  lines: Line[];
  /** Who asked what an answer answers, by its reply. */
  askers: Record<string, string>;
  editing: string | null;
  onEdit: (id: string | null) => void;
}

const Lines = memo(function Lines({ lines, askers, editing, onEdit }: LinesProps) {
  return lines.map(({ message, day, isNew, isHead }, index) => (
    <div key={message.id} className="contents">
      {day && <h2 className="rule mt-5 mb-1">{dayName(day)}</h2>}
      {isNew && <NewRule before={lines[index - 1]?.message} />}
      <Message
        message={message}
        isHead={isHead}
        asker={message.reply_id ? askers[message.reply_id] : undefined}
        isEditing={editing === message.id}
        onEdit={onEdit}
      />
    </div>
  ));
});

/** How many messages of others came in below the view since the reader left the end. */
function useBelow(messages: RoomMessage[], away: boolean, me: string): number {
  const newest = messages.at(-1)?.seq ?? 0;
  const left = useRef(newest);
  if (!away) left.current = newest;
  return away
    ? messages.filter(({ seq, user_id }) => seq > left.current && user_id !== me).length
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
  const { id, me } = useHere();
  const messages = useRoomHere((view) => view.state?.messages ?? NONE);
  const since = useRoomHere((view) => view.since);
  const outbox = useRoomHere((view) => view.outbox);
  const editing = useRoomHere((view) => view.editing);
  const answer = useAnswer();
  const { onEdit } = useHere();
  const newId = firstNew(messages, since, me)?.id ?? null;
  const shown = useMemo(() => (answer ? [...messages, answer] : messages), [messages, answer]);
  const lines = useMemo(() => linesOf(shown, newId), [shown, newId]);
  const askers = useAskers(messages);
  const reading = useReading(id, "room", outbox.at(-1)?.id);
  const { box, content, toEnd } = reading;
  const [away, setAway] = useState(false);
  const below = useBelow(messages, away, me);
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
          <Earlier />
          <Beginning />
          <KeepPlace box={box} chat={id} first={messages[0]?.id} />
          <Suspense fallback={null}>
            <Lines lines={lines} askers={askers} editing={editing} onEdit={onEdit} />
            <Opening reading={reading} />
          </Suspense>
          {outbox.map((message) => (
            <Pending key={message.id} message={message} />
          ))}
          <EndMark box={box} onAway={setAway} />
        </div>
      </div>
      {away && <LatestPill onClick={onLatest} count={below} />}
    </div>
  );
}
