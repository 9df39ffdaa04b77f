// Small facts about the page: its title, and whether the device is mostly touched.
import { useEffect } from "react";

export function usePageTitle(title: string): void {
  useEffect(() => {
    document.title = title ? `${title} · Tutordesk` : "Tutordesk";
  }, [title]);
}

export const isTouch = (): boolean => matchMedia("(pointer: coarse)").matches;
