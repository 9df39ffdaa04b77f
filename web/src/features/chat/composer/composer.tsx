// The composer: grows to eight lines, keeps its text as a draft of this chat until the server has begun
// to answer, and becomes Stop while it does. Its state is its own, so typing never redraws the thread.
import {
  type KeyboardEvent,
  type MouseEvent,
  memo,
  type RefObject,
  useEffect,
  useLayoutEffect,
  useRef,
} from "react";
import { isComposing, useHotkeys } from "@/lib/browser/hotkeys";
import { isTouch } from "@/lib/browser/page";
import { useDraft } from "@/lib/drafts/use-draft";
import { sizeProblem } from "@/lib/text/size";
import { Button } from "@/ui/button";
import { useAutoGrow } from "@/ui/fields/use-auto-grow";
import { Kbd } from "@/ui/kbd";
import { stop } from "../ask/ask";
import { clearRefusal, draftKey, edit, useChat } from "../ask/store";

interface ComposerProps {
  chat: string;
  /** The key of the turn being answered, if one is. */
  turn: string | undefined;
  stopping: boolean;
  placeholder: string;
  /** The chat's last question, which ↑ edits while nothing is written. */
  lastQuestion: string | undefined;
  onSend: (text: string) => void;
}

function useComposerText(chat: string) {
  const draft = useDraft(draftKey(chat));
  const refusal = useChat((state) => state.refusals[chat]);
  const offer = useRef(draft.offer);
  // A refused question comes back, unless something else was written meanwhile.
  useEffect(() => {
    if (refusal?.text) offer.current(refusal.text);
  }, [refusal]);
  const change = (value: string) => {
    draft.change(value);
    clearRefusal(chat);
  };
  // The draft stays: only the start of the answer removes it.
  return { text: draft.text, change, sent: draft.sent, sentence: refusal?.sentence ?? "" };
}

/** A new chat gets its address while the answer runs, and with it another composer: the focus goes along. */
let hadFocus = false;

function useKeptFocus(field: RefObject<HTMLTextAreaElement | null>) {
  useLayoutEffect(() => {
    const element = field.current;
    if (hadFocus) element?.focus({ preventScroll: true });
    return () => {
      hadFocus = document.activeElement === element;
      setTimeout(() => {
        hadFocus = false;
      });
    };
  }, [field]);
}

export const Composer = memo(function Composer(props: ComposerProps) {
  const { chat, turn, stopping, placeholder, lastQuestion, onSend } = props;
  const { text, change, sent, sentence } = useComposerText(chat);
  const field = useAutoGrow(text);
  useKeptFocus(field);
  const answering = turn !== undefined;
  const tooLong = sizeProblem(text);
  const blocked = answering || tooLong !== "" || text.trim() === "";
  const send = () => {
    if (blocked) return;
    const message = text.trim();
    sent(message);
    onSend(message);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (isComposing(event.nativeEvent)) return;
    if (event.key === "Enter" && !event.shiftKey && !isTouch()) {
      event.preventDefault();
      send();
    } else if (event.key === "ArrowUp" && text === "" && lastQuestion) {
      event.preventDefault();
      edit(lastQuestion);
    }
  };
  // A press beside the text, on a button that is off too, is meant for the text.
  const onPress = (event: MouseEvent) => {
    if ((event.target as Element).closest("textarea, button:enabled")) return;
    event.preventDefault();
    field.current?.focus();
  };
  const stopNow = () => turn && stop(turn);
  useHotkeys({ Escape: stopNow }, answering);
  useHotkeys({ c: () => field.current?.focus() });
  // Focus comes back when the answer is there, if it went nowhere else; never on touch.
  const wasAnswering = useRef(answering);
  useEffect(() => {
    const ended = wasAnswering.current && !answering;
    wasAnswering.current = answering;
    const free = document.activeElement === document.body || document.activeElement === null;
    if (ended && free && !isTouch()) field.current?.focus({ preventScroll: true });
  }, [answering, field]);

  return (
    <form
      className="px-3 pb-3 md:px-9 md:pb-[18px]"
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      <div className="mx-auto max-w-[72ch]">
        {(tooLong || sentence) && (
          <p role="alert" className="px-1 pb-1.5 text-[14px] text-danger">
            {tooLong || sentence}
          </p>
        )}
        {/* biome-ignore lint/a11y/noStaticElementInteractions: it only helps the pointer to the text */}
        <div className="field rounded-lg px-3 pt-2.5 pb-2" onMouseDown={onPress}>
          <textarea
            ref={field}
            rows={1}
            aria-label="Message to the tutor"
            placeholder={answering ? "The tutor is answering…" : placeholder}
            disabled={answering}
            enterKeyHint={isTouch() ? "enter" : "send"}
            className="block max-h-[200px] min-h-6 w-full resize-none overflow-y-auto bg-transparent leading-6"
            value={answering ? "" : text}
            onChange={(event) => change(event.target.value)}
            onKeyDown={onKeyDown}
          />
          <div className="mt-1.5 flex min-h-9 items-center gap-3">
            <span className="flex-1 text-[13px] text-dim">
              <span className="[@media(hover:none)]:hidden">↵ send · ⇧↵ new line</span>
            </span>
            {answering ? (
              // Not the button that Send was: it must not inherit the focus, nor the second half of a double click.
              <Button
                key="stop"
                disabled={stopping}
                onClick={({ detail }) => detail < 2 && stopNow()}
              >
                {stopping ? "Stopping…" : "Stop"}
                {!stopping && <Kbd>Esc</Kbd>}
              </Button>
            ) : (
              <Button key="send" type="submit" weight="primary" disabled={blocked}>
                Send
              </Button>
            )}
          </div>
        </div>
      </div>
    </form>
  );
});
