// The form for a room's name and topic, to create or to change it.
import { useMutation } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { FormFooter, fieldError, formError, TextField } from "@/ui/fields/form";

export interface RoomFields {
  name: string;
  topic: string;
}

interface RoomFormProps<Saved> {
  initial: RoomFields;
  label: string;
  busyLabel: string;
  save: (fields: RoomFields) => Promise<Saved>;
  onSaved: (saved: Saved) => void;
}

export function RoomForm<Saved>({
  initial,
  label,
  busyLabel,
  save,
  onSaved,
}: RoomFormProps<Saved>) {
  const [name, setName] = useState(initial.name);
  const [topic, setTopic] = useState(initial.topic);
  const [isEmpty, setEmpty] = useState(false);
  const saving = useMutation({ networkMode: "always", mutationFn: save, onSuccess: onSaved });
  const onSubmit = (event: FormEvent) => {
    event.preventDefault();
    setEmpty(!name.trim());
    if (name.trim()) saving.mutate({ name: name.trim(), topic: topic.trim() });
  };
  return (
    <form className="grid gap-3" onSubmit={onSubmit}>
      <TextField
        label="Name"
        problem={isEmpty ? "Give the room a name." : fieldError(saving.error, "name")}
        autoComplete="off"
        maxLength={80}
        autoFocus
        value={name}
        onChange={(event) => {
          setName(event.target.value);
          setEmpty(false);
        }}
      />
      <TextField
        label="Topic"
        hint="Optional: what the room is for, in one sentence."
        problem={fieldError(saving.error, "topic")}
        autoComplete="off"
        maxLength={300}
        value={topic}
        onChange={(event) => setTopic(event.target.value)}
      />
      <FormFooter
        problem={formError(saving.error, ["name", "topic"])}
        label={label}
        busy={saving.isPending ? busyLabel : null}
      />
    </form>
  );
}
