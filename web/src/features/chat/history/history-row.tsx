// Draws a past chat in a list: its title, its length or the excerpt that a search matched, and its menu.
import { useRef, useState } from "react";
import type { ChatSession } from "@/lib/api/types";
import { Highlight } from "@/ui/highlight";
import { Time } from "@/ui/time";
import { SideLink } from "../side/side-list";
import { ChatMenu } from "./chat-menu";
import { RenameField } from "./rename-field";

interface HistoryRowProps {
  session: ChatSession;
  /** The words of the search that matched it. */
  q?: string;
  on: boolean;
  onChoose: () => void;
}

/** Return the address of a row: a matching message is opened at its place, and the search stays in the address. */
export function pathOf(session: ChatSession, q: string): string {
  const params = new URLSearchParams({ session: session.id });
  if (q && session.hit?.message_id) params.set("m", session.hit.message_id);
  if (q) params.set("q", q);
  return `/chat?${params}`;
}

function Facts({ session }: { session: ChatSession }) {
  const { message_count: count } = session;
  return (
    <span className="meta">
      {session.running_reply ? (
        <span className="text-accent">answering…</span>
      ) : (
        `${count} ${count === 1 ? "message" : "messages"}`
      )}
      {" · "}
      <Time at={session.updated_at} />
    </span>
  );
}

export function HistoryRow({ session, q = "", on, onChoose }: HistoryRowProps) {
  const [renaming, setRenaming] = useState(false);
  const row = useRef<HTMLLIElement>(null);
  if (renaming) {
    const onDone = () => {
      setRenaming(false);
      requestAnimationFrame(() => row.current?.querySelector("button")?.focus());
    };
    return (
      <li ref={row} className="px-3 py-2">
        <RenameField session={session} onDone={onDone} />
      </li>
    );
  }
  const excerpt = session.hit?.message_id ? session.hit.excerpt : "";
  return (
    <li ref={row} className="history-row">
      <SideLink to={pathOf(session, q)} on={on} onChoose={onChoose} className="pe-11">
        <span dir="auto" className="line-clamp-2 font-[550]">
          <Highlight text={session.title || "Untitled chat"} query={q} />
        </span>
        {excerpt && (
          <span dir="auto" className="mt-0.5 line-clamp-3 text-[13px] text-soft">
            <Highlight text={excerpt} query={q} />
          </span>
        )}
        <Facts session={session} />
      </SideLink>
      <ChatMenu
        session={session}
        className="history-menu"
        onRename={() => setRenaming(true)}
        onDeleted={() => row.current?.closest("nav")?.focus()}
      />
    </li>
  );
}
