// Creates or changes an account: with an e-mail address and a password people sign in on another device.
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { api } from "@/lib/api/client";
import { meQuery } from "@/lib/api/queries";
import { becomeMe } from "@/lib/browser/identity";
import { FormFooter, fieldError, formError, TextField } from "@/ui/fields/form";
import { toast } from "@/ui/toast";

const FIELDS = ["email", "password", "current_password"];

export function AccountForm({ onDone }: { onDone: () => void }) {
  const client = useQueryClient();
  const { data: me } = useQuery(meQuery);
  const [email, setEmail] = useState(me?.email ?? "");
  const [password, setPassword] = useState("");
  const [currentPassword, setCurrentPassword] = useState("");
  const hasAccount = Boolean(me?.email);
  const save = useMutation({
    networkMode: "always",
    mutationFn: () =>
      api.createAccount({
        email,
        password,
        ...(hasAccount && { current_password: currentPassword }),
      }),
    onSuccess: (changedMe) => {
      becomeMe(client, changedMe);
      toast(
        `${hasAccount ? "Account changed" : "Account created"}. You can sign in on any device.`,
      );
      onDone();
    },
  });
  const onSubmit = (event: FormEvent) => {
    event.preventDefault();
    save.mutate();
  };
  return (
    <form className="grid gap-3" onSubmit={onSubmit}>
      <TextField
        label="E-mail"
        problem={fieldError(save.error, "email")}
        type="email"
        autoComplete="username"
        required
        autoFocus
        value={email}
        onChange={(event) => setEmail(event.target.value)}
      />
      {hasAccount && (
        <TextField
          label="Current password"
          problem={fieldError(save.error, "current_password")}
          type="password"
          autoComplete="current-password"
          required
          value={currentPassword}
          onChange={(event) => setCurrentPassword(event.target.value)}
        />
      )}
      <TextField
        label={hasAccount ? "New password" : "Password"}
        hint="At least 10 characters."
        problem={fieldError(save.error, "password")}
        type="password"
        autoComplete="new-password"
        minLength={10}
        maxLength={200}
        required
        value={password}
        onChange={(event) => setPassword(event.target.value)}
      />
      <FormFooter
        problem={formError(save.error, FIELDS)}
        label={hasAccount ? "Change account" : "Create account"}
        busy={save.isPending ? "Saving…" : null}
      />
    </form>
  );
}
