// Rooms need a name: why, and how the server says so.
import { useQueryClient } from "@tanstack/react-query";
import { Problem } from "@/lib/api";
import { askIdentity } from "@/lib/identity";
import { meQuery } from "@/lib/queries";

export const NAME_REASON = "People in a room see who writes. Choose the name they see.";

/** Whether the server wants a name first. */
export const isNameNeeded = (error: unknown): boolean =>
  error instanceof Problem && error.type.endsWith("name-needed");

/** Resolves to whether one has a name by then. */
export function useNameFirst(): () => Promise<boolean> {
  const client = useQueryClient();
  return async () => {
    const me = await client.ensureQueryData(meQuery);
    return Boolean(me.name) || askIdentity("name", NAME_REASON);
  };
}
