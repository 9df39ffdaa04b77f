// Name and topic of a room, to make one or to change it.
import { useMutation } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { FormFoot, fieldError, formError, TextField } from "@/ui/form";

export interface RoomFacts {
  name: string;
  topic: string;
}

interface RoomFormProps<Saved> {
  first: RoomFacts;
  label: string;
  busyLabel: string;
  save: (facts: RoomFacts) => Promise<Saved>;
  onSaved: (saved: Saved) => void;
}

export function RoomForm<Saved>({ first, label, busyLabel, save, onSaved }: RoomFormProps<Saved>) {
  const [name, setName] = useState(first.name);
  const [topic, setTopic] = useState(first.topic);
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
        hint="What it is for, in a sentence. May stay empty."
        problem={fieldError(saving.error, "topic")}
        autoComplete="off"
        maxLength={300}
        value={topic}
        onChange={(event) => setTopic(event.target.value)}
      />
      <FormFoot
        problem={formError(saving.error, ["name", "topic"])}
        label={label}
        busy={saving.isPending ? busyLabel : null}
      />
    </form>
  );
}
