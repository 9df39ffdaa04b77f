// The shared parts of the lists in the side: a row, and the footer that shows loading, failure and "Load more".
import type { ReactNode } from "react";
import { Link } from "react-router";
import { Button } from "@/ui/button";
import { cn } from "@/ui/cn";
import { Skeleton, useDelayed } from "@/ui/states";

export interface SideProps {
  ticketId: string | null;
  sessionId: string | null;
  onChoose: () => void;
}

interface SideLinkProps {
  to: string;
  on: boolean;
  onChoose: () => void;
  className?: string;
  children: ReactNode;
}

export function SideLink({ to, on, onChoose, className, children }: SideLinkProps) {
  return (
    <Link
      to={to}
      aria-current={on ? "true" : undefined}
      onClick={onChoose}
      className={cn(
        "block border-s-2 px-3.5 py-2 text-[14px] leading-[1.4] break-words -outline-offset-2",
        on ? "border-accent bg-panel" : "border-transparent hover:bg-panel",
        className,
      )}
    >
      {children}
    </Link>
  );
}

interface ListState {
  isPending: boolean;
  isError: boolean;
  error: Error | null;
  refetch: () => unknown;
  hasNextPage?: boolean;
  isFetchingNextPage?: boolean;
  fetchNextPage?: () => unknown;
}

export function ListFooter({ list }: { list: ListState }) {
  const slow = useDelayed(list.isPending);
  if (list.isPending) {
    return slow ? <Skeleton className="mx-4 my-3 h-24" /> : null;
  }
  if (list.isError) {
    return (
      <div role="alert" className="grid justify-items-start gap-2 px-4 py-3 text-[14px] text-soft">
        {list.error?.message}
        <Button onClick={() => void list.refetch()}>Retry</Button>
      </div>
    );
  }
  if (!list.hasNextPage) return null;
  return (
    <div className="px-3 py-2">
      <Button
        weight="quiet"
        className="w-full"
        disabled={list.isFetchingNextPage}
        onClick={() => void list.fetchNextPage?.()}
      >
        {list.isFetchingNextPage ? "Loading…" : "Load more"}
      </Button>
    </div>
  );
}
