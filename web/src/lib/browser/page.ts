// The title of the page, and whether people mostly touch the device.
import { useEffect } from "react";

export function usePageTitle(title: string): void {
  useEffect(() => {
    document.title = title ? `${title} · Tutordesk` : "Tutordesk";
  }, [title]);
}

export const isTouch = (): boolean => matchMedia("(pointer: coarse)").matches;
