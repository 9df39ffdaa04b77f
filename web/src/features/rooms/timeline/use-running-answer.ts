// The tutor's running answer as a message, until the room has the finished one under the same id.
import { useMemo } from "react";
import type { RoomMessage } from "@/lib/api/types";
import { useCurrentRoom } from "../model/room-context";

export function useRunningAnswer(): RoomMessage | null {
  const running = useCurrentRoom((view) => view.state?.running ?? null);
  const replyId = running?.id;
  return useMemo(() => {
    if (!replyId) return null;
    return {
      id: replyId,
      room_id: "",
      seq: Number.MAX_SAFE_INTEGER,
      user_id: null,
      is_agent: true,
      name: "Tutor",
      content: "",
      created_at: new Date().toISOString(),
      edited_at: null,
      deleted_at: null,
      client_message_id: null,
      mentions: [],
      asks_tutor: false,
      reply_id: replyId,
      status: "streaming",
      error: null,
      thinking: null,
    };
  }, [replyId]);
}
