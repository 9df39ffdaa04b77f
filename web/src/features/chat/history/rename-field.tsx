// Renames a chat in its place: Enter saves, Esc cancels. An empty name is refused with a sentence, and the text stays if
// saving fails.
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useId, useRef, useState } from "react";
import { api } from "@/lib/api/client";
import type { ChatSession } from "@/lib/api/types";
import { isComposing } from "@/lib/browser/hotkeys";
import { Button } from "@/ui/button";
import { announceChange } from "../ask/channel";
import { renameInCache } from "./cache";

const MAX_TITLE_CHARS = 120;

interface RenameFieldProps {
  session: Pick<ChatSession, "id" | "title">;
  onDone: () => void;
}

export function RenameField({ session, onDone }: RenameFieldProps) {
  const client = useQueryClient();
  const [text, setText] = useState(session.title);
  const [isEmpty, setEmpty] = useState(false);
  const field = useRef<HTMLInputElement>(null);
  const id = useId();
  const save = useMutation({
    networkMode: "always", // without a network it fails with a sentence instead of waiting
    mutationFn: (title: string) => api.updateChatSession(session.id, title),
    onSuccess: ({ title }) => {
      renameInCache(client, session.id, title);
      announceChange(session.id);
      onDone();
    },
    onError: () => field.current?.focus(),
  });
  const problem = isEmpty
    ? "Give the chat a name."
    : save.error
      ? `Not saved. ${save.error.message}`
      : "";
  const onSubmit = (event: FormEvent) => {
    event.preventDefault();
    const title = text.trim();
    setEmpty(!title);
    if (!title) field.current?.focus();
    else if (title === session.title) onDone();
    else save.mutate(title);
  };
  return (
    <form
      className="grid min-w-0 flex-1 gap-1.5"
      onSubmit={onSubmit}
      onKeyDown={(event) => {
        if (event.key !== "Escape" || isComposing(event.nativeEvent)) return;
        event.preventDefault();
        event.stopPropagation();
        onDone();
      }}
    >
      <div className="flex min-w-0 flex-wrap items-center gap-1.5">
        <input
          ref={field}
          // biome-ignore lint/a11y/noAutofocus: it replaces the name, to be typed into
          autoFocus
          dir="auto"
          aria-label="Name of the chat"
          aria-invalid={problem !== ""}
          aria-describedby={problem ? id : undefined}
          autoComplete="off"
          maxLength={MAX_TITLE_CHARS}
          enterKeyHint="done"
          readOnly={save.isPending}
          className="field h-9 min-w-[12ch] flex-1 basis-40 py-0 text-[14px]"
          value={text}
          onFocus={(event) => event.target.select()}
          onChange={(event) => {
            setText(event.target.value);
            setEmpty(false);
            save.reset();
          }}
        />
        <span className="flex gap-1.5">
          <Button type="submit" disabled={save.isPending}>
            {save.isPending ? "Saving…" : "Save"}
          </Button>
          <Button weight="quiet" onClick={onDone}>
            Cancel
          </Button>
        </span>
      </div>
      {problem && (
        <p id={id} role="alert" className="text-[13px] text-danger">
          {problem}
        </p>
      )}
    </form>
  );
}
