// Tells the server what was seen: only when the newest message is in view, in a tab that has the focus.
import { useEffect, useState } from "react";
import { useHere, useRoomHere } from "../model/room-context";

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
  const { session } = useHere();
  const looking = useLooking();
  const newest = useRoomHere((view) => view.state?.messages.at(-1)?.seq ?? 0);
  const isLive = useRoomHere((view) => view.connection === "live");
  useEffect(() => {
    if (looking) session.lookBack();
    else session.lookAway();
  }, [looking, session]);
  useEffect(() => {
    if (looking && !away && isLive && newest > 0) session.markRead();
  }, [looking, away, isLive, newest, session]);
}
