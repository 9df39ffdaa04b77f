// Tags as chips in a field: Enter or a comma adds a tag, Backspace in an empty field removes the last one.
import { X } from "lucide-react";
import { useState } from "react";
import { isComposing } from "@/lib/browser/hotkeys";
import { MAX } from "./validation";

const MAX_TAG_CHARS = 40;

/** Add the tags in `text`, as the server stores them: trimmed, case-folded, unique. */
export function addTags(tags: string[], text: string): string[] {
  const added = text
    .split(/[,\n]/)
    .map((tag) => tag.trim().replace(/^#+/, "").replace(/\s+/g, " ").toLowerCase())
    .filter((tag) => tag !== "" && [...tag].length <= MAX_TAG_CHARS);
  return [...new Set([...tags, ...added])].slice(0, MAX.tags);
}

interface TagInputProps {
  id: string;
  tags: string[];
  suggestions: string[];
  invalid: boolean;
  describedBy: string;
  onChange: (tags: string[]) => void;
}

export function TagInput({ id, tags, suggestions, invalid, describedBy, onChange }: TagInputProps) {
  const [text, setText] = useState("");
  const commit = (value = text) => {
    if (value.trim()) onChange(addTags(tags, value));
    setText("");
  };
  return (
    <div className="field flex flex-wrap items-center gap-1.5 py-1.5" aria-invalid={invalid}>
      {tags.map((tag) => (
        <span
          key={tag}
          className="inline-flex items-center gap-1 rounded bg-raise ps-2 font-mono text-[12.5px]"
        >
          <bdi className="break-all">{tag}</bdi>
          <button
            type="button"
            className="grid size-6 place-items-center rounded text-dim hover:text-text"
            aria-label={`Remove tag ${tag}`}
            onClick={() => onChange(tags.filter((other) => other !== tag))}
          >
            <X size={12} aria-hidden="true" />
          </button>
        </span>
      ))}
      <input
        id={id}
        dir="auto"
        name="tags"
        list={`${id}-list`}
        autoComplete="off"
        autoCapitalize="off"
        maxLength={200}
        aria-describedby={describedBy}
        aria-invalid={invalid}
        className="h-7 min-w-[12ch] flex-1 bg-transparent [&::-webkit-calendar-picker-indicator]:!hidden"
        placeholder={tags.length === 0 ? "Add a tag, then Enter" : ""}
        disabled={tags.length >= MAX.tags}
        value={text}
        onChange={(event) => {
          const value = event.target.value;
          if (/[,\n]/.test(value)) commit(value);
          else setText(value);
        }}
        onBlur={() => commit()}
        onKeyDown={(event) => {
          if (isComposing(event.nativeEvent)) return;
          if (event.key === "Enter" && !event.ctrlKey && !event.metaKey && text.trim()) {
            event.preventDefault();
            commit();
          } else if (event.key === "Enter" && !event.ctrlKey && !event.metaKey) {
            event.preventDefault();
          } else if (event.key === "Backspace" && text === "" && tags.length > 0) {
            onChange(tags.slice(0, -1));
          }
        }}
      />
      <datalist id={`${id}-list`}>
        {suggestions
          .filter((name) => !tags.includes(name))
          .map((name) => (
            <option key={name} value={name} />
          ))}
      </datalist>
    </div>
  );
}
