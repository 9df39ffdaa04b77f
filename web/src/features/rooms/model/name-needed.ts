// Rooms require a name: the reason shown to people, and how the server says that one is missing.
import { useQueryClient } from "@tanstack/react-query";
import { Problem } from "@/lib/api/problem";
import { meQuery } from "@/lib/api/queries";
import { askIdentity } from "@/lib/browser/identity";

export const NAME_REASON = "Rooms show who wrote each message. Choose the name that people see.";

/** Return whether the server refused because this user has no name. */
export const isNameNeeded = (error: unknown): boolean =>
  error instanceof Problem && error.type.endsWith("name-needed");

/** Ask for a name if there is none. Resolves to whether the user has a name afterwards. */
export function useRequireName(): () => Promise<boolean> {
  const client = useQueryClient();
  return async () => {
    const me = await client.ensureQueryData(meQuery);
    return Boolean(me.name) || askIdentity("name", NAME_REASON);
  };
}
