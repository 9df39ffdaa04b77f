// Draws a question: its heading, its text or its editor, and for the last question of a chat the Edit button.
import { useEffect, useRef } from "react";
import type { Message } from "@/lib/api/types";
import { edit, endEditing, useChat } from "../ask/store";
import { QuestionEditor } from "../composer/question-editor";
import { Heading } from "./heading";
import { Pager, type Versions } from "./pager";

/** The actions of a turn. The object stays the same while the chat does. */
export interface TurnActions {
  sessionId: string | null;
  /** Ask `text` in place of this question. */
  askAgain: (question: Message, text: string) => void;
  /** Ask for the rest of the last answer. */
  continueAnswer: () => void;
  /** Keep the view in place. */
  hold: () => void;
}

interface QuestionProps {
  question: Message;
  versions: Versions;
  mayEdit: boolean;
  actions: TurnActions;
}

/** Return the focus, when the editor closes, to the element that had it before, or else to the Edit button. */
function useReturnedFocus(isOpen: boolean, opener: Element | null | undefined) {
  const button = useRef<HTMLButtonElement>(null);
  const before = useRef<Element | null>(null);
  const wasOpen = useRef(false);
  useEffect(() => {
    if (isOpen) before.current = opener ?? null;
    else if (wasOpen.current && document.activeElement === document.body) {
      const back = before.current?.isConnected ? before.current : button.current;
      if (back instanceof HTMLElement) back.focus({ preventScroll: true });
    }
    wasOpen.current = isOpen;
  }, [isOpen, opener]);
  return button;
}

export function Question({ question, versions, mayEdit, actions }: QuestionProps) {
  const editing = useChat((state) =>
    mayEdit && state.editing?.questionId === question.id ? state.editing : null,
  );
  const button = useReturnedFocus(editing !== null, editing?.opener);
  const onEdit = () => {
    actions.hold();
    edit(question.id);
  };
  return (
    <>
      <Heading message={question}>
        {!editing && <Pager of="question" {...versions} />}
        {mayEdit && !editing && (
          <button
            ref={button}
            type="button"
            className="text-button turn-action touch-area"
            onClick={onEdit}
          >
            Edit
          </button>
        )}
      </Heading>
      {editing ? (
        <QuestionEditor
          question={question}
          sentence={editing.sentence}
          onAsk={(text) => actions.askAgain(question, text)}
          onCancel={endEditing}
        />
      ) : (
        <p dir="auto" className="words border-s-2 border-line ps-3">
          {question.content}
        </p>
      )}
    </>
  );
}
