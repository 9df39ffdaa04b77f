// Where people write in a room: Enter sends (on touch it is a new line), `@` completes names, ↑ edits the last
// message. The text is a draft of this room. Once sent, it stays in the outbox until the room reports it.
import { type KeyboardEvent, memo, useEffect, useRef } from "react";
import { isComposing, useHotkeys } from "@/lib/browser/hotkeys";
import { isTouch } from "@/lib/browser/page";
import { useDraft } from "@/lib/drafts/use-draft";
import { sizeProblem } from "@/lib/text/size";
import { Button } from "@/ui/button";
import { useAutoGrow } from "@/ui/fields/use-auto-grow";
import { useCurrentRoom, useRoomContext } from "../model/room-context";
import { draftKey, viewOf } from "../model/store";
import { MentionList } from "./mention-list";
import { useMentions } from "./use-mentions";

/** Return the id of the user's newest message that is not deleted. */
function myLastMessageId(roomId: string, me: string): string | undefined {
  return viewOf(roomId).state?.messages.findLast(
    ({ user_id, deleted_at }) => user_id === me && !deleted_at,
  )?.id;
}

/** Put the text of a message taken back into the field, before what is written there. */
function useTakenBack(text: string, change: (text: string) => void) {
  const takenBack = useCurrentRoom((view) => view.takenBack);
  const latest = useRef({ text, change });
  latest.current = { text, change };
  const insertedAt = useRef(takenBack?.at);
  useEffect(() => {
    if (!takenBack || takenBack.at === insertedAt.current) return;
    insertedAt.current = takenBack.at;
    const current = latest.current;
    current.change(current.text ? `${takenBack.text}\n${current.text}` : takenBack.text);
  }, [takenBack]);
}

export const Composer = memo(function Composer() {
  const { id, me, session, onEdit } = useRoomContext();
  const name = useCurrentRoom((view) => view.room?.name ?? "the room");
  const { text, change, sent } = useDraft(draftKey(id, me));
  const field = useAutoGrow(text);
  const mentions = useMentions(field, text, change);
  useTakenBack(text, change);
  const sizeError = sizeProblem(text);
  const isBlocked = sizeError !== "" || text.trim() === "";
  const send = () => {
    if (isBlocked) return;
    session.sender.send(text.trim());
    session.typing.stop();
    sent();
    mentions.close();
    field.current?.focus({ preventScroll: true });
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (isComposing(event.nativeEvent) || mentions.onKeyDown(event)) return;
    const lastId = event.key === "ArrowUp" && text === "" ? myLastMessageId(id, me) : undefined;
    if (event.key === "Enter" && !event.shiftKey && !isTouch()) {
      event.preventDefault();
      send();
    } else if (lastId) {
      event.preventDefault();
      onEdit(lastId);
    }
  };
  useHotkeys({ c: () => field.current?.focus() });
  return (
    <form
      className="relative px-3 pb-3 md:px-7 md:pb-[18px]"
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      {mentions.completion && <MentionList {...mentions} />}
      {sizeError && (
        <p role="alert" className="px-1 pb-1.5 text-[14px] text-danger">
          {sizeError}
        </p>
      )}
      <div className="field rounded-lg px-3 pt-2.5 pb-2">
        <textarea
          ref={field}
          rows={1}
          dir="auto"
          {...mentions.aria}
          aria-label={`Message to ${name}`}
          placeholder={`Message ${name}`}
          enterKeyHint={isTouch() ? "enter" : "send"}
          className="block max-h-[200px] min-h-6 w-full resize-none overflow-y-auto bg-transparent leading-6"
          value={text}
          onChange={(event) => {
            change(event.target.value);
            mentions.update();
            if (event.target.value.trim()) session.typing.typed();
          }}
          onSelect={mentions.update}
          onBlur={mentions.close}
          onKeyDown={onKeyDown}
        />
        <div className="mt-1 flex min-h-9 items-center gap-3">
          <span className="flex-1 truncate text-[13px] text-dim">
            <span className="[@media(hover:none)]:hidden">
              ↵ send · ⇧↵ new line · @ name · Markdown
            </span>
          </span>
          <Button type="submit" weight="primary" disabled={isBlocked}>
            Send
          </Button>
        </div>
      </div>
    </form>
  );
});
