// The side of the chat: which ticket to talk about, and one's own past chats. A column on wide screens,
// the content of a sheet on narrow ones.
import { keepPreviousData, useInfiniteQuery } from "@tanstack/react-query";
import { memo, type ReactNode, useRef, useState } from "react";
import { Link } from "react-router";
import { useHotkeys } from "@/lib/hotkeys";
import { ticketListQuery } from "@/lib/queries";
import { dayGroup } from "@/lib/time";
import type { ChatSession } from "@/lib/types";
import { Button } from "@/ui/button";
import { cn } from "@/ui/cn";
import { Highlight } from "@/ui/highlight";
import { Kbd } from "@/ui/kbd";
import { Skeleton, useDelayed } from "@/ui/states";
import { Time } from "@/ui/time";
import { sessionsQuery } from "./queries";

interface SideProps {
  ticketId: string | null;
  sessionId: string | null;
  onChoose: () => void;
}

interface ItemProps {
  to: string;
  on: boolean;
  onChoose: () => void;
  children: ReactNode;
}

function Item({ to, on, onChoose, children }: ItemProps) {
  return (
    <li>
      <Link
        to={to}
        aria-current={on ? "true" : undefined}
        onClick={onChoose}
        className={cn(
          "block border-l-2 px-3.5 py-2 text-[14px] leading-[1.4] break-words -outline-offset-2",
          on ? "border-accent bg-panel" : "border-transparent hover:bg-panel",
        )}
      >
        {children}
      </Link>
    </li>
  );
}

/** Loading, failure and "more" of a list in the side. */
function ListFoot({ list }: { list: ListState }) {
  const slow = useDelayed(list.isPending);
  if (list.isPending) {
    return slow ? <Skeleton className="mx-4 my-3 h-24" /> : null;
  }
  if (list.isError) {
    return (
      <div className="grid justify-items-start gap-2 px-4 py-3 text-[14px] text-soft">
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
        onClick={() => void list.fetchNextPage()}
      >
        {list.isFetchingNextPage ? "Loading…" : "Load more"}
      </Button>
    </div>
  );
}

interface ListState {
  isPending: boolean;
  isError: boolean;
  error: Error | null;
  hasNextPage: boolean;
  isFetchingNextPage: boolean;
  refetch: () => unknown;
  fetchNextPage: () => unknown;
}

function TicketsTab({ ticketId, sessionId, onChoose }: SideProps) {
  const [text, setText] = useState("");
  const input = useRef<HTMLInputElement>(null);
  const filter = { q: text.trim(), category: "", tags: [] };
  const list = useInfiniteQuery({ ...ticketListQuery(filter), placeholderData: keepPreviousData });
  const items = list.data?.pages.flatMap((page) => page.data) ?? [];
  useHotkeys({ "/": () => input.current?.focus() });
  return (
    <>
      <div className="field mx-3 mt-3 mb-2 flex w-auto items-center py-0 pr-2 text-[14px]">
        <input
          ref={input}
          type="search"
          aria-label="Find a ticket"
          placeholder="Find a ticket"
          autoComplete="off"
          maxLength={200}
          className="h-8 min-w-0 flex-1 bg-transparent"
          value={text}
          onChange={(event) => setText(event.target.value)}
        />
        {!text && <Kbd>/</Kbd>}
      </div>
      <nav
        aria-label="Tickets to talk about"
        className="scroller min-h-0 flex-1 pb-3 [scrollbar-gutter:auto]"
      >
        <ul>
          {!filter.q && (
            <Item to="/chat" on={!ticketId && !sessionId} onChoose={onChoose}>
              <span className="block font-[550]">All tickets</span>
              <span className="meta">the tutor looks by itself</span>
            </Item>
          )}
          {items.map((item) => (
            <Item
              key={item.id}
              to={`/chat?ticket=${item.id}`}
              on={item.id === ticketId}
              onChoose={onChoose}
            >
              <span className="line-clamp-2 font-[550]">
                <Highlight text={item.title} query={filter.q} />
              </span>
              <span className="line-clamp-1 text-[13px] text-dim">
                {item.ai_summary || item.excerpt}
              </span>
            </Item>
          ))}
        </ul>
        {list.data && items.length === 0 && (
          <p className="px-4 py-3 text-[14px] text-dim">
            {filter.q ? `No ticket matches “${filter.q}”.` : "There are no tickets yet."}
          </p>
        )}
        <ListFoot list={list} />
      </nav>
    </>
  );
}

function byDay(sessions: ChatSession[]): [string, ChatSession[]][] {
  const groups = new Map<string, ChatSession[]>();
  for (const session of sessions) {
    const name = dayGroup(session.updated_at);
    groups.set(name, [...(groups.get(name) ?? []), session]);
  }
  return [...groups];
}

function HistoryTab({ sessionId, onChoose }: SideProps) {
  const list = useInfiniteQuery(sessionsQuery);
  const sessions = list.data?.pages.flatMap((page) => page.data) ?? [];
  return (
    <nav aria-label="Past chats" className="scroller min-h-0 flex-1 pb-3 [scrollbar-gutter:auto]">
      {list.data && sessions.length === 0 && (
        <p className="px-4 py-4 text-[14px] text-dim">
          Your chats will be listed here. Only you see them.
        </p>
      )}
      {byDay(sessions).map(([name, group]) => (
        <section key={name} aria-label={name}>
          <h3 className="meta px-4 pt-3 pb-0.5 text-[11.5px] font-semibold">{name}</h3>
          <ul>
            {group.map((session) => (
              <Item
                key={session.id}
                to={`/chat?session=${session.id}`}
                on={session.id === sessionId}
                onChoose={onChoose}
              >
                <span className="line-clamp-2 font-[550]">{session.title || "Untitled chat"}</span>
                <span className="meta">
                  {session.running_reply
                    ? "answering…"
                    : `${session.message_count} ${session.message_count === 1 ? "message" : "messages"}`}
                  {" · "}
                  <Time at={session.updated_at} />
                </span>
              </Item>
            ))}
          </ul>
        </section>
      ))}
      <ListFoot list={list} />
    </nav>
  );
}

/** Memoised: a growing answer must not draw it again. */
export const Side = memo(function Side(props: SideProps) {
  const [tab, setTab] = useState<"tickets" | "history">("tickets");
  const button = (name: typeof tab, label: string) => (
    <button
      type="button"
      aria-pressed={tab === name}
      onClick={() => setTab(name)}
      className={cn(
        "-mb-px border-b-2 px-0.5 font-[550]",
        tab === name ? "border-accent text-text" : "border-transparent text-dim hover:text-text",
      )}
    >
      {label}
    </button>
  );
  return (
    <div className="flex h-full min-h-0 flex-1 flex-col">
      <div className="flex h-[47px] shrink-0 gap-4 border-b border-line px-4">
        {button("tickets", "Tickets")}
        {button("history", "History")}
      </div>
      {tab === "tickets" ? <TicketsTab {...props} /> : <HistoryTab {...props} />}
    </div>
  );
});
