// The menu of a chat: rename, export, delete. The server keeps deleted chats for a while, so a notice offers Undo for ten
// seconds.
import { type QueryClient, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "react-router";
import { api } from "@/lib/api/client";
import { sentenceOf } from "@/lib/api/problem";
import type { ChatSession } from "@/lib/api/types";
import { Menu } from "@/ui/menu";
import { toast } from "@/ui/toast";
import { announceChange } from "../ask/channel";
import { removeFromCache } from "./cache";
import { chatKeys } from "./queries";

interface ChatMenuProps {
  session: Pick<ChatSession, "id" | "title">;
  className?: string;
  onRename: () => void;
  /** Called before the row disappears, to move the focus. */
  onDeleted?: () => void;
}

const exportOf = (id: string, format: "markdown" | "json"): string =>
  `/chat/sessions/${encodeURIComponent(id)}/export?format=${format}`;

function restore(client: QueryClient, id: string): void {
  api
    .restoreChatSession(id)
    .then(() => {
      void client.invalidateQueries({ queryKey: chatKeys.sessions });
      void client.invalidateQueries({ queryKey: chatKeys.session(id) });
      announceChange(id);
      toast("Chat restored.");
    })
    .catch((error: unknown) => toast(`Could not restore the chat. ${sentenceOf(error)}`));
}

export function ChatMenu({ session, className, onRename, onDeleted }: ChatMenuProps) {
  const client = useQueryClient();
  const navigate = useNavigate();
  const { id, title } = session;
  const remove = () => {
    api
      .deleteChatSession(id)
      .then(() => {
        const open = new URLSearchParams(location.search);
        onDeleted?.();
        removeFromCache(client, id);
        if (location.pathname === "/chat" && open.get("session") === id) {
          const q = open.get("q");
          navigate(q ? `/chat?${new URLSearchParams({ q })}` : "/chat", { replace: true });
        }
        announceChange(id);
        toast("Chat deleted.", { label: "Undo", run: () => restore(client, id) });
      })
      .catch((error: unknown) => toast(`Could not delete the chat. ${sentenceOf(error)}`));
  };
  return (
    <Menu
      label={`More for “${title || "Untitled chat"}”`}
      className={className}
      entries={[
        { label: "Rename", run: onRename },
        { label: "Export as Markdown", download: exportOf(id, "markdown") },
        { label: "Export as JSON", download: exportOf(id, "json") },
        { label: "Delete", run: remove, danger: true },
      ]}
    />
  );
}
