// Knows which user this browser is, and opens the dialogs that change it: choose a name, create an account, sign in.
// Any part of the client may open one; the dialogs (features/identity) are mounted once, in the shell. Other tabs follow.
import type { QueryClient } from "@tanstack/react-query";
import { create } from "zustand";
import { meQuery } from "../api/queries";
import type { Me } from "../api/types";

export type IdentityQuestion = "name" | "account" | "sign-in";

interface OpenDialog {
  question: IdentityQuestion;
  /** Why people are asked right now. */
  reason: string;
  answer: (isDone: boolean) => void;
}

export const useIdentity = create<{ dialog: OpenDialog | null }>(() => ({ dialog: null }));

/** Open the dialog. Returns true once it is completed, false if it is closed. */
export function askIdentity(question: IdentityQuestion, reason = ""): Promise<boolean> {
  useIdentity.getState().dialog?.answer(false);
  return new Promise((resolve) => {
    const answer = (isDone: boolean) => {
      useIdentity.setState({ dialog: null });
      resolve(isDone);
    };
    useIdentity.setState({ dialog: { question, reason, answer } });
  });
}

const channel =
  typeof BroadcastChannel === "function" ? new BroadcastChannel("tutordesk.identity") : null;

/** Store who the server says this browser is. If that is another user, drop what the earlier one could see. */
export function becomeMe(client: QueryClient, me: Me): void {
  const before = client.getQueryData(meQuery.queryKey);
  client.setQueryData(meQuery.queryKey, me);
  if (before?.id && before.id !== me.id) forgetOthers(client);
  channel?.postMessage("changed");
}

/** Read who this browser is after signing out, and drop what the earlier user could see. */
export async function becomeNobody(client: QueryClient): Promise<void> {
  await client.fetchQuery({ ...meQuery, staleTime: 0 });
  forgetOthers(client);
  channel?.postMessage("changed");
}

function forgetOthers(client: QueryClient): void {
  void client.resetQueries({ predicate: ({ queryKey }) => queryKey[0] !== meQuery.queryKey[0] });
}

/** Follow sign-ins and sign-outs in other tabs. Returns a function that stops this. */
export function followIdentity(client: QueryClient): () => void {
  if (!channel) return () => undefined;
  channel.onmessage = () => {
    const before = client.getQueryData(meQuery.queryKey)?.id;
    client
      .fetchQuery({ ...meQuery, staleTime: 0 })
      .then((me) => {
        if (before && before !== me.id) forgetOthers(client);
      })
      .catch(() => undefined);
  };
  return () => {
    channel.onmessage = null;
  };
}
