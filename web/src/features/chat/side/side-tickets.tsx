// Lists tickets in the side: people choose a ticket to chat about, or all of them.
import { keepPreviousData, useInfiniteQuery } from "@tanstack/react-query";
import { useRef, useState } from "react";
import { ticketListQuery } from "@/lib/api/queries";
import { useHotkeys } from "@/lib/browser/hotkeys";
import { Highlight } from "@/ui/highlight";
import { Kbd } from "@/ui/kbd";
import { ListFooter, SideLink, type SideProps } from "./side-list";

export function SideTickets({ ticketId, sessionId, onChoose }: SideProps) {
  const [text, setText] = useState("");
  const input = useRef<HTMLInputElement>(null);
  const filter = { q: text.trim(), category: "", tags: [] };
  const list = useInfiniteQuery({ ...ticketListQuery(filter), placeholderData: keepPreviousData });
  const items = list.data?.pages.flatMap((page) => page.data) ?? [];
  useHotkeys({ "/": () => input.current?.focus() });
  return (
    <>
      <div className="field mx-3 mt-3 mb-2 flex w-auto items-center py-0 pe-2 text-[14px]">
        <input
          ref={input}
          type="search"
          dir="auto"
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
            <li>
              <SideLink to="/chat" on={!ticketId && !sessionId} onChoose={onChoose}>
                <span className="block font-[550]">All tickets</span>
                <span className="meta">The tutor searches all tickets</span>
              </SideLink>
            </li>
          )}
          {items.map((item) => (
            <li key={item.id}>
              <SideLink
                to={`/chat?ticket=${item.id}`}
                on={item.id === ticketId}
                onChoose={onChoose}
              >
                <span dir="auto" className="line-clamp-2 font-[550]">
                  <Highlight text={item.title} query={filter.q} />
                </span>
                <span dir="auto" className="line-clamp-1 text-[13px] text-dim">
                  {item.ai_summary || item.excerpt}
                </span>
              </SideLink>
            </li>
          ))}
        </ul>
        {list.data && items.length === 0 && (
          <p className="px-4 py-3 text-[14px] text-dim">
            {filter.q ? `No ticket matches “${filter.q}”.` : "There are no tickets yet."}
          </p>
        )}
        <ListFooter list={list} />
      </nav>
    </>
  );
}
