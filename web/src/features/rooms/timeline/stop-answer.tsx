// Stops the tutor's answer, for the person who asked and for admins. The label changes at once. Esc stops it for the
// person who asked.
import { useState } from "react";
import { api } from "@/lib/api/client";
import { sentenceOf } from "@/lib/api/problem";
import { useHotkeys } from "@/lib/browser/hotkeys";
import { Kbd } from "@/ui/kbd";
import { toast } from "@/ui/toast";
import { useCurrentRoom, useRoomContext } from "../model/room-context";

export function StopAnswer({ replyId }: { replyId: string }) {
  const { me } = useRoomContext();
  const isAsker = useCurrentRoom((view) => view.state?.running?.asked_by === me);
  const isAdmin = useCurrentRoom((view) => view.room?.is_admin ?? false);
  const [isStopping, setStopping] = useState(false);
  const stop = () => {
    if (isStopping) return;
    setStopping(true);
    api.stopReply(replyId).catch((error: unknown) => {
      setStopping(false);
      toast(`Could not stop the answer. ${sentenceOf(error)}`);
    });
  };
  useHotkeys({ Escape: stop }, isAsker);
  if (!isAsker && !isAdmin) return null;
  return (
    <button
      type="button"
      disabled={isStopping}
      className="text-button touch-area border border-line"
      onClick={stop}
    >
      {isStopping ? "Stopping…" : "Stop"}
      {isAsker && !isStopping && <Kbd className="ms-1.5">Esc</Kbd>}
    </button>
  );
}
