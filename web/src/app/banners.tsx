// The lines above every page that say why something cannot be done right now.
import { type ReactNode, useSyncExternalStore } from "react";
import { useReadOnly } from "@/lib/api/read-only";

function subscribeOnline(listener: () => void): () => void {
  window.addEventListener("online", listener);
  window.addEventListener("offline", listener);
  return () => {
    window.removeEventListener("online", listener);
    window.removeEventListener("offline", listener);
  };
}

function Banner({ children }: { children: ReactNode }) {
  return (
    <p role="status" className="bg-warn-bg px-4 py-1.5 text-center text-[14px] text-warn">
      {children}
    </p>
  );
}

export function Banners() {
  const isOnline = useSyncExternalStore(subscribeOnline, () => navigator.onLine);
  const isReadOnly = useReadOnly();
  if (!isOnline) return <Banner>You are offline. What you write is kept.</Banner>;
  if (!isReadOnly) return null;
  return (
    <Banner>
      The server's disk is full: you can read, but nothing can be saved right now. Your drafts are
      kept.
    </Banner>
  );
}
