// Copies a text; the button says so for two seconds. Works without the clipboard API too, which browsers
// withhold from pages that came over plain HTTP from another machine.
import { useEffect, useState } from "react";

export async function copyText(text: string): Promise<void> {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const area = document.createElement("textarea");
  area.value = text;
  area.className = "sr-only";
  document.body.append(area);
  area.select();
  document.execCommand("copy");
  area.remove();
}

interface CopyButtonProps {
  text: string;
  label: string;
  className?: string;
}

export function CopyButton({ text, label, className = "text-button" }: CopyButtonProps) {
  const [done, setDone] = useState<"copied" | "failed" | null>(null);
  useEffect(() => {
    if (!done) return;
    const timer = setTimeout(() => setDone(null), 2_000);
    return () => clearTimeout(timer);
  }, [done]);
  const onClick = () => {
    copyText(text).then(
      () => setDone("copied"),
      () => setDone("failed"),
    );
  };
  const words = done === "copied" ? "Copied" : done === "failed" ? "Not allowed" : "Copy";
  return (
    <button type="button" className={className} aria-label={done ? words : label} onClick={onClick}>
      {words}
    </button>
  );
}
