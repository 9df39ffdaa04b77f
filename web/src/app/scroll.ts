// Scrolling of the main area: a new page starts at the top, and "back" returns to the old position.
import { type RefObject, useEffect, useLayoutEffect } from "react";
import { NavigationType, useLocation, useNavigationType } from "react-router";

const positions = new Map<string, number>();

export function useScrollMemory(box: RefObject<HTMLElement | null>): void {
  const { key, pathname } = useLocation();
  const type = useNavigationType();
  useEffect(() => {
    const node = box.current;
    if (!node) return;
    const remember = () => positions.set(key, node.scrollTop);
    node.addEventListener("scroll", remember, { passive: true });
    return () => node.removeEventListener("scroll", remember);
  }, [box, key]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: a changed filter is not a new page
  useLayoutEffect(() => {
    const node = box.current;
    if (!node) return;
    const target = type === NavigationType.Pop ? (positions.get(key) ?? 0) : 0;
    node.scrollTop = target;
    if (target === 0 || node.scrollTop === target) return;
    // The page's code or data is still loading: retry while the page grows, for two seconds.
    const observer = new ResizeObserver(() => {
      node.scrollTop = target;
      if (node.scrollTop === target) observer.disconnect();
    });
    if (node.firstElementChild) observer.observe(node.firstElementChild);
    const timer = setTimeout(() => observer.disconnect(), 2_000);
    return () => {
      clearTimeout(timer);
      observer.disconnect();
    };
  }, [pathname, box]);
}
