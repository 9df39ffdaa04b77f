// Edits the last question: Enter or "Ask again" sends it in its place, Esc cancels. The text is a draft until the server
// has it, so a refusal or a reload loses nothing.
import { type KeyboardEvent, useEffect, useState } from "react";
import type { Message } from "@/lib/api/types";
import { isComposing } from "@/lib/browser/hotkeys";
import { isTouch } from "@/lib/browser/page";
import { clearDraft, readDraft, writeDraft } from "@/lib/drafts/drafts";
import { sizeProblem } from "@/lib/text/size";
import { Button } from "@/ui/button";
import { useAutoGrow } from "@/ui/fields/use-auto-grow";
import { Kbd } from "@/ui/kbd";
import { editDraftKey } from "../ask/store";

interface QuestionEditorProps {
  question: Message;
  /** Why the server refused the text. */
  sentence: string;
  onAsk: (text: string) => void;
  onCancel: () => void;
}

/** Focus the field with the cursor behind its text. Returns its ref. */
function useFocusedField(text: string) {
  const field = useAutoGrow(text);
  useEffect(() => {
    const node = field.current;
    node?.focus();
    node?.setSelectionRange(node.value.length, node.value.length);
  }, [field]);
  return field;
}

export function QuestionEditor({ question, sentence, onAsk, onCancel }: QuestionEditorProps) {
  const draft = editDraftKey(question.id);
  const [text, setText] = useState(() => readDraft<string>(draft)?.value ?? question.content);
  const field = useFocusedField(text);
  const problem = sizeProblem(text);
  const isBlocked = problem !== "" || text.trim() === "";
  const change = (value: string) => {
    setText(value);
    writeDraft(draft, value);
  };
  const send = () => {
    if (!isBlocked) onAsk(text.trim());
  };
  const cancel = () => {
    clearDraft(draft);
    onCancel();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (isComposing(event.nativeEvent)) return;
    if (event.key === "Escape") {
      event.stopPropagation();
      cancel();
    } else if (event.key === "Enter" && !event.shiftKey && !isTouch()) {
      event.preventDefault();
      send();
    }
  };
  return (
    <form
      className="field rounded-lg px-3 pt-2.5 pb-2"
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      {(problem || sentence) && (
        <p role="alert" className="pb-1.5 text-[14px] text-danger">
          {problem || sentence}
        </p>
      )}
      <textarea
        ref={field}
        rows={1}
        dir="auto"
        aria-label="Edit your question"
        className="block max-h-[40vh] min-h-6 w-full resize-none overflow-y-auto bg-transparent leading-6"
        value={text}
        onChange={(event) => change(event.target.value)}
        onKeyDown={onKeyDown}
      />
      <div className="mt-1.5 flex flex-wrap items-center justify-end gap-2">
        <span className="flex-1 text-[13px] text-dim max-md:hidden">
          Your earlier question and its answer stay available.
        </span>
        <Button weight="quiet" onClick={cancel}>
          Cancel <Kbd>Esc</Kbd>
        </Button>
        <Button type="submit" weight="primary" disabled={isBlocked}>
          Ask again
        </Button>
      </div>
    </form>
  );
}
