// Lists past chats by day, or the results of a search. The address holds its words (?q=), so that "back" returns to the
// results.
import { keepPreviousData, useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useCallback, useRef } from "react";
import { useLocation, useNavigate, useSearchParams } from "react-router";
import type { ChatSession } from "@/lib/api/types";
import { useHotkeys } from "@/lib/browser/hotkeys";
import { dayGroup } from "@/lib/text/time";
import { SearchField } from "@/ui/fields/search-field";
import { ListFooter, type SideProps } from "../side/side-list";
import { HistoryRow } from "./history-row";
import { searchQuery, sessionsQuery } from "./queries";

export function byDay(sessions: ChatSession[]): [string, ChatSession[]][] {
  const groups = new Map<string, ChatSession[]>();
  for (const session of sessions) {
    const name = dayGroup(session.updated_at);
    groups.set(name, [...(groups.get(name) ?? []), session]);
  }
  return [...groups];
}

type ListProps = Pick<SideProps, "sessionId" | "onChoose">;

function Days({ sessionId, onChoose }: ListProps) {
  const list = useInfiniteQuery(sessionsQuery);
  const sessions = list.data?.pages.flatMap((page) => page.data) ?? [];
  return (
    <>
      {list.data && sessions.length === 0 && (
        <p className="px-4 py-3 text-[14px] text-dim">
          Your chats will be listed here. Only you see them.
        </p>
      )}
      {byDay(sessions).map(([name, group]) => (
        <section key={name} aria-label={name}>
          <h2 className="meta px-4 pt-3 pb-0.5 text-[11.5px] font-semibold">{name}</h2>
          <ul>
            {group.map((session) => (
              <HistoryRow
                key={session.id}
                session={session}
                on={session.id === sessionId}
                onChoose={onChoose}
              />
            ))}
          </ul>
        </section>
      ))}
      <ListFooter list={list} />
    </>
  );
}

/** The limit of the server. */
const MAX_RESULTS = 20;

function SearchResults({ q, sessionId, onChoose }: ListProps & { q: string }) {
  const list = useQuery({ ...searchQuery(q), placeholderData: keepPreviousData });
  const sessions = list.data ?? [];
  const scope = sessions.length >= MAX_RESULTS ? "The newest " : "";
  const count = sessions.length === 1 ? "1 chat" : `${scope}${sessions.length} chats`;
  return (
    <>
      <p role="status" className="meta px-4 pt-2 pb-1">
        {list.data && sessions.length > 0 && `${count} with these words`}
      </p>
      {list.data && sessions.length === 0 && !list.isPlaceholderData && (
        <p className="px-4 py-1 text-[14px] break-words text-soft">
          None of your chats has “{q}” in its title or messages.
        </p>
      )}
      <ul>
        {sessions.map((session) => (
          <HistoryRow
            key={session.id}
            session={session}
            q={q}
            on={session.id === sessionId}
            onChoose={onChoose}
          />
        ))}
      </ul>
      <ListFooter list={list} />
    </>
  );
}

export function History({ sessionId, onChoose }: SideProps) {
  const [params] = useSearchParams();
  const q = params.get("q") ?? "";
  const location = useLocation();
  const navigate = useNavigate();
  const input = useRef<HTMLInputElement>(null);
  const onSearch = useCallback(
    (words: string) => {
      const next = new URLSearchParams(location.search);
      if (words) next.set("q", words);
      else next.delete("q");
      navigate(`/chat?${next}`, { replace: true, state: location.state });
    },
    [location, navigate],
  );
  useHotkeys({ "/": () => input.current?.focus() });
  return (
    <>
      <div className="mx-3 mt-3 mb-1 flex text-[14px]">
        <SearchField label="Search chats" value={q} onChange={onSearch} inputRef={input} />
      </div>
      <nav
        aria-label="Past chats"
        tabIndex={-1}
        className="scroller min-h-0 flex-1 pb-3 outline-none [scrollbar-gutter:auto]"
      >
        {q ? (
          <SearchResults q={q} sessionId={sessionId} onChoose={onChoose} />
        ) : (
          <Days sessionId={sessionId} onChoose={onChoose} />
        )}
      </nav>
    </>
  );
}
