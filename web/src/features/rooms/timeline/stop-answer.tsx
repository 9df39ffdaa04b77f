// Stops the tutor: for who asked, and for admins. The words change at once; Esc does it for who asked.
import { useState } from "react";
import { api } from "@/lib/api";
import { useHotkeys } from "@/lib/hotkeys";
import { Kbd } from "@/ui/kbd";
import { toast } from "@/ui/toast";
import { useHere, useRoomHere } from "../model/room-context";

export function StopAnswer({ replyId }: { replyId: string }) {
  const { me } = useHere();
  const isAsker = useRoomHere((view) => view.state?.running?.asked_by === me);
  const isAdmin = useRoomHere((view) => view.room?.is_admin ?? false);
  const [isStopping, setStopping] = useState(false);
  const stop = () => {
    if (isStopping) return;
    setStopping(true);
    api.stopReply(replyId).catch((error: Error) => {
      setStopping(false);
      toast(`Could not stop. ${error.message}`);
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
      {isAsker && !isStopping && <Kbd className="ml-1.5">Esc</Kbd>}
    </button>
  );
}
