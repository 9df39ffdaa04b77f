// Writes and sends a question. The composer grows to eight lines, keeps its text as a draft until the server begins to
// answer, and shows Stop during the answer. It holds its state itself, so that typing never redraws the thread.
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
  /** The key of the turn that is being answered, or undefined. */
  turn: string | undefined;
  stopping: boolean;
  placeholder: string;
  /** The id of the chat's last question, which ↑ edits while the field is empty. */
  lastQuestion: string | undefined;
  onSend: (text: string) => void;
}

function useComposerText(chat: string) {
  const draft = useDraft(draftKey(chat));
  const refusal = useChat((state) => state.refusals[chat]);
  const offer = useRef(draft.offer);
  // A refused question returns to the field, unless it has another text since.
  useEffect(() => {
    if (refusal?.text) offer.current(refusal.text);
  }, [refusal]);
  const change = (value: string) => {
    draft.change(value);
    clearRefusal(chat);
  };
  // The draft stays until the answer begins.
  return { text: draft.text, change, sent: draft.sent, sentence: refusal?.sentence ?? "" };
}

/** Whether a composer that is just being replaced had the focus: a new chat gets another one with its address. */
let hadFocus = false;

/** Move the focus from a replaced composer to the new one. */
function usePreservedFocus(field: RefObject<HTMLTextAreaElement | null>) {
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
  usePreservedFocus(field);
  const isAnswering = turn !== undefined;
  const problem = sizeProblem(text);
  const isBlocked = isAnswering || problem !== "" || text.trim() === "";
  const send = () => {
    if (isBlocked) return;
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
  // A press beside the text, or on a disabled button, focuses the text.
  const onPress = (event: MouseEvent) => {
    if (event.target instanceof Element && event.target.closest("textarea, button:enabled")) return;
    event.preventDefault();
    field.current?.focus();
  };
  const stopNow = () => turn && stop(turn);
  useHotkeys({ Escape: stopNow }, isAnswering);
  useHotkeys({ c: () => field.current?.focus() });
  // After the answer the field gets the focus again, if nothing else has it; never on touch devices.
  const wasAnswering = useRef(isAnswering);
  useEffect(() => {
    const ended = wasAnswering.current && !isAnswering;
    wasAnswering.current = isAnswering;
    const free = document.activeElement === document.body || document.activeElement === null;
    if (ended && free && !isTouch()) field.current?.focus({ preventScroll: true });
  }, [isAnswering, field]);

  return (
    <form
      className="px-3 pb-3 md:px-9 md:pb-[18px]"
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      <div className="mx-auto max-w-[72ch]">
        {(problem || sentence) && (
          <p role="alert" className="px-1 pb-1.5 text-[14px] text-danger">
            {problem || sentence}
          </p>
        )}
        {/* biome-ignore lint/a11y/noStaticElementInteractions: it only moves the focus to the text */}
        <div className="field rounded-lg px-3 pt-2.5 pb-2" onMouseDown={onPress}>
          <textarea
            ref={field}
            rows={1}
            aria-label="Message to the tutor"
            placeholder={isAnswering ? "The tutor is answering…" : placeholder}
            disabled={isAnswering}
            enterKeyHint={isTouch() ? "enter" : "send"}
            className="block max-h-[200px] min-h-6 w-full resize-none overflow-y-auto bg-transparent leading-6"
            value={isAnswering ? "" : text}
            onChange={(event) => change(event.target.value)}
            onKeyDown={onKeyDown}
          />
          <div className="mt-1.5 flex min-h-9 items-center gap-3">
            <span className="flex-1 text-[13px] text-dim">
              <span className="[@media(hover:none)]:hidden">↵ send · ⇧↵ new line</span>
            </span>
            {isAnswering ? (
              // Another button than Send: it must inherit neither the focus nor the second half of a double click.
              <Button
                key="stop"
                disabled={stopping}
                onClick={({ detail }) => detail < 2 && stopNow()}
              >
                {stopping ? "Stopping…" : "Stop"}
                {!stopping && <Kbd>Esc</Kbd>}
              </Button>
            ) : (
              <Button key="send" type="submit" weight="primary" disabled={isBlocked}>
                Send
              </Button>
            )}
          </div>
        </div>
      </div>
    </form>
  );
});
