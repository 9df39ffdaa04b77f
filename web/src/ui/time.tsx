// Shows a time as people say it ("4 min ago"), and the exact time on hover. All times on the page share one clock.
import { useSyncExternalStore } from "react";
import { exactTime, relativeTime } from "@/lib/text/time";

let now = Date.now();
const listeners = new Set<() => void>();
let timer: ReturnType<typeof setInterval> | undefined;

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  timer ??= setInterval(() => {
    now = Date.now();
    for (const call of listeners) call();
  }, 20_000);
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0) {
      clearInterval(timer);
      timer = undefined;
    }
  };
}

interface TimeProps {
  at: string;
  className?: string;
}

export function Time({ at, className }: TimeProps) {
  const current = useSyncExternalStore(subscribe, () => now);
  return (
    <time dateTime={at} title={exactTime(at)} className={className}>
      {relativeTime(at, Math.max(current, Date.now() - 20_000))}
    </time>
  );
}
