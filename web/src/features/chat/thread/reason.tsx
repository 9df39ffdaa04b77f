// Asks why an answer was bad, in an optional field that a thumb down opens, and shows the saved reason. If saving fails,
// the text stays in the field below the problem.
import { type FormEvent, useState } from "react";
import { isComposing } from "@/lib/browser/hotkeys";
import { Button } from "@/ui/button";
import type { Rating } from "./rating";

interface ReasonProps extends Rating {
  isOpen: boolean;
  onOpen: (isOpen: boolean) => void;
}

function Field({ feedback, rate, onOpen }: ReasonProps) {
  const [text, setText] = useState(feedback?.reason ?? "");
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (await rate({ thumb: "down", reason: text.trim() })) onOpen(false);
  };
  return (
    <form className="flex flex-wrap gap-2" onSubmit={submit}>
      <input
        // biome-ignore lint/a11y/noAutofocus: opened by a press on the thumb
        autoFocus
        dir="auto"
        aria-label="What was wrong with the answer? Optional"
        placeholder="What was wrong? Optional"
        maxLength={1_000}
        autoComplete="off"
        className="field min-h-9 min-w-0 flex-1 basis-36 py-1"
        value={text}
        onChange={(event) => setText(event.target.value)}
        onKeyDown={(event) => {
          if (event.key === "Enter" && isComposing(event.nativeEvent)) event.preventDefault();
          if (event.key !== "Escape") return;
          event.stopPropagation();
          onOpen(false);
        }}
      />
      <Button type="submit" disabled={text.trim() === ""}>
        Send
      </Button>
      <Button weight="quiet" onClick={() => onOpen(false)}>
        Cancel
      </Button>
    </form>
  );
}

export function Reason(props: ReasonProps) {
  const { feedback, problem, isOpen, onOpen } = props;
  const reason = feedback?.thumb === "down" ? feedback.reason : "";
  const isAsking = isOpen && (feedback?.thumb === "down" || problem !== "");
  if (!isAsking && !reason && !problem) return null;
  return (
    <div className="basis-full pt-1 text-[14px]">
      {problem && (
        <p role="alert" className="pb-1 text-danger">
          {problem}
        </p>
      )}
      {isAsking ? (
        <Field {...props} />
      ) : (
        reason && (
          <p className="break-words text-dim">
            You wrote: “{reason}”
            <button type="button" className="text-button ms-1" onClick={() => onOpen(true)}>
              Change
            </button>
          </p>
        )
      )}
    </div>
  );
}
