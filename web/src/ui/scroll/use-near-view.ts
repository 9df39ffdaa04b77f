// Loads more when an end of a list comes near the view.
import { type RefObject, useEffect, useRef } from "react";

/**
 * Call `onNear` when the element comes within `margin` (a CSS margin) of the view, while `isActive`. `onNear` must stay
 * the same function. Returns the ref of the element.
 */
export function useNearView(
  isActive: boolean,
  margin: string,
  onNear: () => void,
): RefObject<HTMLDivElement | null> {
  const element = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!isActive || !element.current || typeof IntersectionObserver !== "function") return;
    const observer = new IntersectionObserver(
      (entries) => entries.some((entry) => entry.isIntersecting) && onNear(),
      { rootMargin: margin },
    );
    observer.observe(element.current);
    return () => observer.disconnect();
  }, [isActive, margin, onNear]);
  return element;
}
