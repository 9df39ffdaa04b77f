// What models think while they answer, by the id of the reply. It is no part of an answer, so it is kept apart.
import { create } from "zustand";
import type { ReplyEvents } from "@/lib/api/types";

type Thoughts = Record<string, ReplyEvents["thinking_delta"] | undefined>;

export const useThoughts = create<Thoughts>(() => ({}));

export function setThought(replyId: string, thinking: ReplyEvents["thinking_delta"]): void {
  useThoughts.setState({ [replyId]: thinking });
}
