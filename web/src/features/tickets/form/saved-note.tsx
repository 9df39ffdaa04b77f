// "Saved 3 s ago": when the draft was last saved in this browser.
import { useEffect, useState } from "react";

function savedAgo(seconds: number): string {
  if (seconds < 2) return "Saved just now";
  if (seconds < 60) return `Saved ${seconds} s ago`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `Saved ${minutes} min ago`;
  return `Saved ${Math.round(minutes / 60)} h ago`;
}

export function SavedNote({ at }: { at: number | null }) {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    if (at === null) return;
    setNow(Date.now());
    const timer = setInterval(() => setNow(Date.now()), 1_000);
    return () => clearInterval(timer);
  }, [at]);
  if (at === null) return <span>Drafts are saved in this browser</span>;
  return (
    <span className="tabular-nums">{savedAgo(Math.max(0, Math.round((now - at) / 1_000)))}</span>
  );
}
