// The list of names in a composer: open while the caret stands in a name begun with `@`; arrows choose, Enter and
// Tab take one, Esc closes it. The focus stays in the field.
import {
  type KeyboardEvent,
  type RefObject,
  useId,
  useLayoutEffect,
  useRef,
  useState,
} from "react";
import { useHere, useMembers } from "../model/room-context";
import { type Candidate, type Completion, complete, completionAt } from "./completion";

export interface MentionState {
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
  const { me } = useHere();
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
  const look = () => {
    const node = field.current;
    if (!node || caret.current !== null) return;
    const isPoint = node.selectionStart === node.selectionEnd;
    const next = isPoint ? completionAt(node.value, node.selectionStart, members, me) : null;
    if (next?.start !== completion?.start || !next) setChosen(0);
    setCompletion(next);
  };
  const onChoose = (candidate: Candidate) => {
    const node = field.current;
    if (!node || !completion) return;
    const done = complete(text, node.selectionStart, completion, candidate);
    caret.current = done.caret;
    change(done.text);
    close();
    node.focus();
  };
  /** True when the key was meant for the list. */
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
  return { completion, chosen: at, listId, onChoose, onKeyDown, look, close, aria };
}
