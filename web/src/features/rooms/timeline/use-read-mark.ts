// Tells the server what was read: only while the newest message is in view, in a tab that has the focus.
import { useEffect, useState } from "react";
import { useCurrentRoom, useRoomContext } from "../model/room-context";

const isLooking = (): boolean => document.visibilityState === "visible" && document.hasFocus();

function useLooking(): boolean {
  const [looking, setLooking] = useState(isLooking);
  useEffect(() => {
    const look = () => setLooking(isLooking());
    window.addEventListener("focus", look);
    window.addEventListener("blur", look);
    document.addEventListener("visibilitychange", look);
    return () => {
      window.removeEventListener("focus", look);
      window.removeEventListener("blur", look);
      document.removeEventListener("visibilitychange", look);
    };
  }, []);
  return looking;
}

export function useReadMark(away: boolean): void {
  const { session } = useRoomContext();
  const looking = useLooking();
  const newest = useCurrentRoom((view) => view.state?.messages.at(-1)?.seq ?? 0);
  const isLive = useCurrentRoom((view) => view.connection === "live");
  useEffect(() => {
    if (looking) session.markBack();
    else session.markAway();
  }, [looking, session]);
  useEffect(() => {
    if (looking && !away && isLive && newest > 0) session.markRead();
  }, [looking, away, isLive, newest, session]);
}
