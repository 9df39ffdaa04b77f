// Completing names in the composer. The list is open while the caret is in a name that begins with `@`. Arrows move
// the choice, Enter and Tab take it, Esc closes the list. The focus stays in the field.
import {
  type KeyboardEvent,
  type RefObject,
  useId,
  useLayoutEffect,
  useRef,
  useState,
} from "react";
import { useMembers, useRoomContext } from "../model/room-context";
import { type Candidate, type Completion, complete, completionAt } from "./completion";

export interface MentionCompletion {
  completion: Completion | null;
  chosen: number;
  listId: string;
  onChoose: (candidate: Candidate) => void;
}

export function useMentions(
  field: RefObject<HTMLTextAreaElement | null>,
  text: string,
  change: (text: string) => void,
) {
  const { me } = useRoomContext();
  const members = useMembers();
  const [completion, setCompletion] = useState<Completion | null>(null);
  const [chosen, setChosen] = useState(0);
  const listId = useId();
  const caret = useRef<number | null>(null);
  useLayoutEffect(() => {
    if (caret.current === null || !field.current) return;
    field.current.setSelectionRange(caret.current, caret.current);
    caret.current = null;
  });
  const close = () => setCompletion(null);
  const update = () => {
    const node = field.current;
    if (!node || caret.current !== null) return;
    const isCollapsed = node.selectionStart === node.selectionEnd;
    const next = isCollapsed ? completionAt(node.value, node.selectionStart, members, me) : null;
    if (next?.start !== completion?.start || !next) setChosen(0);
    setCompletion(next);
  };
  const onChoose = (candidate: Candidate) => {
    const node = field.current;
    if (!node || !completion) return;
    const completed = complete(text, node.selectionStart, completion, candidate);
    caret.current = completed.caret;
    change(completed.text);
    close();
    node.focus();
  };
  /** Returns whether the list used the key. */
  const onKeyDown = (event: KeyboardEvent): boolean => {
    if (!completion) return false;
    const { candidates } = completion;
    const at = Math.min(chosen, candidates.length - 1);
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const candidate = candidates[at];
    if (step) setChosen((at + step + candidates.length) % candidates.length);
    else if ((event.key === "Enter" || event.key === "Tab") && candidate && !event.shiftKey) {
      onChoose(candidate);
    } else if (event.key === "Escape") close();
    else return false;
    event.preventDefault();
    event.stopPropagation();
    return true;
  };
  const at = completion ? Math.min(chosen, completion.candidates.length - 1) : 0;
  const aria = {
    "aria-autocomplete": "list" as const,
    "aria-haspopup": "listbox" as const,
    "aria-controls": completion ? listId : undefined,
    "aria-activedescendant": completion ? `${listId}-${at}` : undefined,
  };
  return { completion, chosen: at, listId, onChoose, onKeyDown, update, close, aria };
}
