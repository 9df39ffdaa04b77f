// Signs in to an account: this browser then acts as that user.
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { api } from "@/lib/api/client";
import { becomeMe } from "@/lib/browser/identity";
import { FormFooter, fieldError, formError, TextField } from "@/ui/fields/form";
import { toast } from "@/ui/toast";

export function SignInForm({ onDone }: { onDone: () => void }) {
  const client = useQueryClient();
  const [email, setEmail] = useState("");
  const [password, setPassword] = useState("");
  const signIn = useMutation({
    networkMode: "always",
    mutationFn: () => api.createSession({ email, password }),
    onSuccess: (me) => {
      becomeMe(client, me);
      toast(`Signed in as ${me.name ?? me.email}.`);
      onDone();
    },
  });
  const onSubmit = (event: FormEvent) => {
    event.preventDefault();
    signIn.mutate();
  };
  return (
    <form className="grid gap-3" onSubmit={onSubmit}>
      <TextField
        label="E-mail"
        problem={fieldError(signIn.error, "email")}
        type="email"
        autoComplete="username"
        required
        autoFocus
        value={email}
        onChange={(event) => setEmail(event.target.value)}
      />
      <TextField
        label="Password"
        problem={fieldError(signIn.error, "password")}
        type="password"
        autoComplete="current-password"
        required
        value={password}
        onChange={(event) => setPassword(event.target.value)}
      />
      <p className="text-[13px] text-dim">
        What you wrote in this browser as a visitor does not move to your account.
      </p>
      <FormFooter
        problem={formError(signIn.error, ["email", "password"])}
        label="Sign in"
        busy={signIn.isPending ? "Signing in…" : null}
      />
    </form>
  );
}
