// Who this browser is, and the questions that change it: a name, an account to keep, signing in. Any part of the
// client may ask one; the dialogs (features/identity) are mounted once, in the shell. Other tabs hear of a change.
import type { QueryClient } from "@tanstack/react-query";
import { create } from "zustand";
import { meQuery } from "../api/queries";
import type { Me } from "../api/types";

export type IdentityQuestion = "name" | "account" | "sign-in";

interface Asked {
  question: IdentityQuestion;
  /** Why it is asked just now. */
  reason: string;
  answer: (isDone: boolean) => void;
}

export const useIdentity = create<{ asked: Asked | null }>(() => ({ asked: null }));

/** Opens the dialog. True once it is done, false when it is put away. */
export function askIdentity(question: IdentityQuestion, reason = ""): Promise<boolean> {
  useIdentity.getState().asked?.answer(false);
  return new Promise((resolve) => {
    const answer = (isDone: boolean) => {
      useIdentity.setState({ asked: null });
      resolve(isDone);
    };
    useIdentity.setState({ asked: { question, reason, answer } });
  });
}

const channel =
  typeof BroadcastChannel === "function" ? new BroadcastChannel("tutordesk.identity") : null;

/** Takes over what the server says of us; whoever is somebody else now sees nothing of who they were. */
export function becomeMe(client: QueryClient, me: Me): void {
  const before = client.getQueryData(meQuery.queryKey);
  client.setQueryData(meQuery.queryKey, me);
  if (before?.id && before.id !== me.id) forgetOthers(client);
  channel?.postMessage("changed");
}

/** After signing out: the next look finds a new visitor. */
export async function becomeNobody(client: QueryClient): Promise<void> {
  await client.fetchQuery({ ...meQuery, staleTime: 0 });
  forgetOthers(client);
  channel?.postMessage("changed");
}

function forgetOthers(client: QueryClient): void {
  void client.resetQueries({ predicate: ({ queryKey }) => queryKey[0] !== meQuery.queryKey[0] });
}

/** Calls back when another tab of this browser changed who we are. */
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
