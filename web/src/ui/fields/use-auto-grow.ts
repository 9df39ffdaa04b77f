// Fits a text field to its text, up to the maximum of its CSS rule.
import { type RefObject, useLayoutEffect, useRef } from "react";

export function useAutoGrow(text: string): RefObject<HTMLTextAreaElement | null> {
  const field = useRef<HTMLTextAreaElement>(null);
  useLayoutEffect(() => {
    const node = field.current;
    if (!node || text === undefined) return;
    node.style.height = "auto";
    node.style.height = `${node.scrollHeight}px`;
  }, [text]);
  return field;
}
