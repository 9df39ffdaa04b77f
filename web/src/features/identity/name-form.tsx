// Chooses the name that others in rooms see. The server decides which names are allowed and gives the reason.
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useRef, useState } from "react";
import { api } from "@/lib/api/client";
import { meQuery } from "@/lib/api/queries";
import { askIdentity, becomeMe } from "@/lib/browser/identity";
import { Button } from "@/ui/button";
import { FormFooter, fieldError, formError, TextField } from "@/ui/fields/form";

export function NameForm({ onDone }: { onDone: () => void }) {
  const client = useQueryClient();
  const { data: me } = useQuery(meQuery);
  const [name, setName] = useState(me?.name ?? "");
  const form = useRef<HTMLFormElement>(null);
  const save = useMutation({
    networkMode: "always",
    mutationFn: () => api.updateMe(name),
    onSuccess: (renamedMe) => {
      becomeMe(client, renamedMe);
      onDone();
    },
    onError: () => form.current?.querySelector("input")?.focus(),
  });
  const onSubmit = (event: FormEvent) => {
    event.preventDefault();
    save.mutate();
  };
  return (
    <form ref={form} className="grid gap-3" onSubmit={onSubmit}>
      <TextField
        label="Name"
        hint="Everybody in your rooms sees it. You need no e-mail address or password."
        problem={fieldError(save.error, "name")}
        autoComplete="nickname"
        maxLength={80}
        autoFocus
        value={name}
        onChange={(event) => {
          setName(event.target.value);
          save.reset();
        }}
      />
      <FormFooter
        problem={formError(save.error, ["name"])}
        label="Use this name"
        busy={save.isPending ? "Saving…" : null}
      >
        {!me?.email && (
          <Button weight="quiet" onClick={() => void askIdentity("sign-in")}>
            Sign in instead
          </Button>
        )}
      </FormFooter>
    </form>
  );
}
