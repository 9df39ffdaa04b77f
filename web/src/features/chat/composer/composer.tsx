// Writes and sends a question. The composer grows to eight lines, keeps its text as a draft, and shows Stop during an
// answer, when the next question can be written but not sent. It holds its state itself, so that typing never redraws
// the thread.
import {
  type KeyboardEvent,
  type MouseEvent,
  memo,
  type RefObject,
  useEffect,
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
import { clearRefusal, draftKey, edit, type LiveTurn, takeUnsent, useChat } from "../ask/store";

interface ComposerProps {
  chat: string;
  /** The turn that is being answered. */
  turn: LiveTurn | undefined;
  placeholder: string;
  /** The id of the chat's last question, which ↑ edits while the field is empty. */
  lastQuestion: string | undefined;
  onSend: (text: string) => void;
}

function useComposerText(chat: string, isAnswering: boolean) {
  const { text, change, sent } = useDraft(draftKey(chat));
  const refusal = useChat((state) => state.refusals[chat]);
  const latest = useRef({ text, change });
  latest.current = { text, change };
  // A question that the server does not have returns to the field, before what was typed since.
  // biome-ignore lint/correctness/useExhaustiveDependencies: a refusal leaves a question to be taken
  useEffect(() => {
    const unsent = isAnswering ? "" : takeUnsent(chat);
    if (!unsent) return;
    const { text, change } = latest.current;
    change(text ? `${unsent}\n${text}` : unsent);
  }, [chat, isAnswering, refusal]);
  const write = (value: string) => {
    change(value);
    clearRefusal(chat);
  };
  return { text, change: write, sent, sentence: refusal?.sentence ?? "" };
}

/**
 * Focus the field when a question was sent from elsewhere on the page, and after the answer, if nothing else has the
 * focus; never on touch devices.
 */
function useFocusAround(turn: LiveTurn | undefined, field: RefObject<HTMLTextAreaElement | null>) {
  const isAnswering = turn !== undefined;
  const isSentHere = turn?.isSentHere ?? false;
  const wasAnswering = useRef(false);
  useEffect(() => {
    const hasChanged = wasAnswering.current !== isAnswering;
    wasAnswering.current = isAnswering;
    const isFree = document.activeElement?.matches("body, main") ?? true;
    if (hasChanged && isFree && (isSentHere || !isAnswering) && !isTouch()) {
      field.current?.focus({ preventScroll: true });
    }
  }, [isAnswering, isSentHere, field]);
}

export const Composer = memo(function Composer(props: ComposerProps) {
  const { chat, turn, placeholder, lastQuestion, onSend } = props;
  const isAnswering = turn !== undefined;
  const stopping = turn?.stopping ?? false;
  const { text, change, sent, sentence } = useComposerText(chat, isAnswering);
  const field = useAutoGrow(text);
  useFocusAround(turn, field);
  const problem = sizeProblem(text);
  const isBlocked = isAnswering || problem !== "" || text.trim() === "";
  const send = () => {
    if (isBlocked) return;
    const message = text.trim();
    sent();
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
  const stopNow = () => turn && stop(turn.key);
  useHotkeys({ Escape: stopNow }, isAnswering);
  useHotkeys({ c: () => field.current?.focus() });

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
            dir="auto"
            aria-label="Message to the tutor"
            placeholder={isAnswering ? "The tutor is answering…" : placeholder}
            enterKeyHint={isTouch() ? "enter" : "send"}
            className="block max-h-[200px] min-h-6 w-full resize-none overflow-y-auto bg-transparent leading-6"
            value={text}
            onChange={(event) => change(event.target.value)}
            onKeyDown={onKeyDown}
          />
          <div className="mt-1.5 flex min-h-9 items-center gap-3">
            <span className="flex-1 text-[13px] text-dim">
              {isAnswering && text ? (
                "You can send this after the answer."
              ) : (
                <span className="[@media(hover:none)]:hidden">↵ send · ⇧↵ new line</span>
              )}
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
