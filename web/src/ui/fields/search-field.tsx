// The search field of a list. It reports its words after a short pause. Callers that keep them in the URL replace the
// history entry, so that "back" leaves the list instead of undoing letters. Esc empties the field, then leaves it.
import { Search, X } from "lucide-react";
import { type RefObject, useEffect, useRef, useState } from "react";
import { isComposing } from "@/lib/browser/hotkeys";
import { Kbd } from "../kbd";

interface SearchFieldProps {
  label: string;
  value: string;
  onChange: (value: string) => void;
  inputRef: RefObject<HTMLInputElement | null>;
}

export function SearchField({ label, value, onChange, inputRef }: SearchFieldProps) {
  const [text, setText] = useState(value);
  const reported = useRef(value);
  useEffect(() => {
    if (value !== reported.current) setText(value); // changed from elsewhere, such as "back"
    reported.current = value;
  }, [value]);
  useEffect(() => {
    const next = text.trim();
    if (next === reported.current) return;
    const timer = setTimeout(() => {
      reported.current = next;
      onChange(next);
    }, 150);
    return () => clearTimeout(timer);
  }, [text, onChange]);
  return (
    <div className="field flex flex-1 items-center gap-2 py-0 pe-1.5">
      <Search size={15} aria-hidden="true" className="shrink-0 text-dim" />
      <input
        ref={inputRef}
        type="search"
        dir="auto"
        enterKeyHint="search"
        autoComplete="off"
        spellCheck={false}
        maxLength={200}
        aria-label={label}
        placeholder={label}
        className="h-9 min-w-0 flex-1 bg-transparent [&::-webkit-search-cancel-button]:hidden"
        value={text}
        onChange={(event) => setText(event.target.value)}
        onKeyDown={(event) => {
          if (event.key === "Escape" && !isComposing(event.nativeEvent)) {
            if (text) setText("");
            else event.currentTarget.blur();
            event.preventDefault();
          }
        }}
      />
      {text ? (
        <button
          type="button"
          className="icon-button"
          aria-label="Clear search"
          onClick={() => {
            setText("");
            inputRef.current?.focus();
          }}
        >
          <X size={14} aria-hidden="true" />
        </button>
      ) : (
        <Kbd className="me-1">/</Kbd>
      )}
    </div>
  );
}
