// Copies a text, and shows the result on the button for two seconds. Browsers withhold the clipboard API from pages that
// came over plain HTTP from another machine; there a selected text field is copied.
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
  const [outcome, setOutcome] = useState<"copied" | "failed" | null>(null);
  useEffect(() => {
    if (!outcome) return;
    const timer = setTimeout(() => setOutcome(null), 2_000);
    return () => clearTimeout(timer);
  }, [outcome]);
  const onClick = () => {
    copyText(text).then(
      () => setOutcome("copied"),
      () => setOutcome("failed"),
    );
  };
  const words = outcome === "copied" ? "Copied" : outcome === "failed" ? "Blocked" : "Copy";
  return (
    <button
      type="button"
      className={className}
      aria-label={outcome ? words : label}
      onClick={onClick}
    >
      {words}
    </button>
  );
}
