// The field that edits one of the user's own messages: Enter or "Save" changes it, Esc cancels. The text is a draft
// until the server has it. A refusal shows its reason and keeps the text.
import { type KeyboardEvent, useEffect, useState } from "react";
import { api } from "@/lib/api/client";
import { sentenceOf } from "@/lib/api/problem";
import type { RoomMessage } from "@/lib/api/types";
import { isComposing } from "@/lib/browser/hotkeys";
import { isTouch } from "@/lib/browser/page";
import { clearDraft, readDraft, writeDraft } from "@/lib/drafts/drafts";
import { sizeProblem } from "@/lib/text/size";
import { Button } from "@/ui/button";
import { useAutoGrow } from "@/ui/fields/use-auto-grow";
import { Kbd } from "@/ui/kbd";
import { useRoomContext } from "../model/room-context";
import { editDraftKey } from "../model/store";

interface MessageEditorProps {
  message: RoomMessage;
  onDone: () => void;
}

function useEditing({ message, onDone }: MessageEditorProps) {
  const { id } = useRoomContext();
  const key = editDraftKey(message.id);
  const [text, setText] = useState(() => readDraft<string>(key)?.value ?? message.content);
  const [state, setState] = useState({ isBusy: false, sentence: "" });
  const finish = () => {
    clearDraft(key);
    onDone();
  };
  const change = (value: string) => {
    setText(value);
    setState({ isBusy: false, sentence: "" });
    writeDraft(key, value);
  };
  const save = () => {
    const content = text.trim();
    if (content === message.content) return finish();
    setState({ isBusy: true, sentence: "" });
    api.updateRoomMessage(id, message.id, content).then(finish, (error: unknown) => {
      setState({ isBusy: false, sentence: `Could not save your message. ${sentenceOf(error)}` });
    });
  };
  return { text, change, save, finish, ...state };
}

export function MessageEditor(props: MessageEditorProps) {
  const { text, change, save, finish, isBusy, sentence } = useEditing(props);
  const field = useAutoGrow(text);
  useEffect(() => {
    const node = field.current;
    node?.focus();
    node?.setSelectionRange(node.value.length, node.value.length);
  }, [field]);
  const problem = sizeProblem(text) || sentence;
  const isBlocked = isBusy || sizeProblem(text) !== "" || text.trim() === "";
  const onKeyDown = (event: KeyboardEvent) => {
    if (isComposing(event.nativeEvent)) return;
    if (event.key === "Escape") {
      event.preventDefault();
      event.stopPropagation();
      finish();
    } else if (event.key === "Enter" && !event.shiftKey && !isTouch()) {
      event.preventDefault();
      if (!isBlocked) save();
    }
  };
  return (
    <form
      className="field my-1 rounded-lg px-3 pt-2 pb-2"
      onSubmit={(event) => {
        event.preventDefault();
        if (!isBlocked) save();
      }}
    >
      {problem && (
        <p role="alert" className="pb-1.5 text-[14px] text-danger">
          {problem}
        </p>
      )}
      <textarea
        ref={field}
        rows={1}
        dir="auto"
        aria-label="Edit your message"
        className="block max-h-[40vh] min-h-6 w-full resize-none overflow-y-auto bg-transparent leading-6"
        value={text}
        onChange={(event) => change(event.target.value)}
        onKeyDown={onKeyDown}
      />
      <div className="mt-1.5 flex justify-end gap-2">
        <Button weight="quiet" onClick={finish}>
          Cancel <Kbd>Esc</Kbd>
        </Button>
        <Button type="submit" weight="primary" disabled={isBlocked}>
          {isBusy ? "Saving…" : "Save"}
        </Button>
      </div>
    </form>
  );
}
