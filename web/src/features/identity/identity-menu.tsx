// The user in the navigation: the name, and a menu to change it, create an account, sign in or sign out.
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { api } from "@/lib/api/client";
import { sentenceOf } from "@/lib/api/problem";
import { meQuery } from "@/lib/api/queries";
import type { Me } from "@/lib/api/types";
import { askIdentity, becomeNobody, followIdentity } from "@/lib/browser/identity";
import { Menu, type MenuEntry } from "@/ui/menu";
import { toast } from "@/ui/toast";

function useEntries(me: Me | undefined): MenuEntry[] {
  const client = useQueryClient();
  const signOut = () => {
    api
      .deleteSession()
      .then(() => becomeNobody(client))
      .then(() => toast("Signed out. Your drafts are kept in this browser."))
      .catch((error: unknown) => toast(`Could not sign out. ${sentenceOf(error)}`));
  };
  const ask = (question: Parameters<typeof askIdentity>[0]) => () => void askIdentity(question);
  const name = { label: me?.name ? "Change name" : "Choose a name", run: ask("name") };
  if (me?.email) {
    return [
      name,
      { label: "Change account", run: ask("account") },
      { label: "Sign out", run: signOut },
    ];
  }
  return [
    name,
    { label: "Create an account", run: ask("account") },
    { label: "Sign in", run: ask("sign-in") },
  ];
}

export function IdentityMenu() {
  const { data: me } = useQuery(meQuery);
  const entries = useEntries(me);
  const name = me?.name || "Visitor";
  return (
    <div className="flex items-center gap-1">
      <p
        className="min-w-0 flex-1 truncate text-[13px] leading-5"
        title={me?.email ?? "You need no account: what you write belongs to you in this browser."}
      >
        <bdi className={me?.name ? "font-[550] text-soft" : "text-dim"}>{name}</bdi>
        {me?.role === "admin" && <span className="text-dim"> · admin</span>}
      </p>
      <Menu label={`You are ${name}`} entries={entries} />
    </div>
  );
}

/** Refresh the identity when another tab of this browser signs in or out. */
export function useIdentityAcrossTabs(): void {
  const client = useQueryClient();
  useEffect(() => followIdentity(client), [client]);
}
