// The page /chat. In its address, `ticket` is the ticket that the tutor looks at, `session` the chat, `m` a message to
// begin at, and `q` a search in the past chats. A question in the router state `ask` of a link is sent at once.
import { useQuery } from "@tanstack/react-query";
import { useCallback, useEffect, useRef } from "react";
import { useLocation, useNavigate, useSearchParams } from "react-router";
import { Problem } from "@/lib/api/problem";
import { ticketQuery } from "@/lib/api/queries";
import type { Message } from "@/lib/api/types";
import { usePageTitle } from "@/lib/browser/page";
import { Dialog } from "@/ui/dialog";
import { Failure, Skeleton, useDelayed } from "@/ui/states";
import { useElapsed } from "@/ui/waiting";
import { ask } from "./ask/ask";
import { announce, chatKey, useChat } from "./ask/store";
import { Composer } from "./composer/composer";
import { useComposerKey } from "./composer/use-composer-key";
import { ModeBar } from "./mode-bar";
import { Side } from "./side/side";
import { useSide } from "./side/use-side";
import { Start } from "./thread/start";
import { ThreadView } from "./thread/thread-view";
import { usePlace } from "./use-place";
import { useSession } from "./use-session";

const ignore = () => undefined;
const RECONNECTING = "Reconnecting… Your text is saved.";

function StatusRegion() {
  const announcement = useChat((state) => state.announcement);
  return (
    <p role="status" aria-live="polite" className="sr-only">
      {announcement}
    </p>
  );
}

/** Send the question of a link once, and take it out of the history entry. */
function useLinkedQuestion(onAsk: (text: string) => void) {
  const location = useLocation();
  const navigate = useNavigate();
  const sentFrom = useRef("");
  const text: unknown = location.state?.ask;
  useEffect(() => {
    if (typeof text !== "string" || sentFrom.current === location.key) return;
    sentFrom.current = location.key;
    navigate(location.pathname + location.search, { replace: true, state: null });
    onAsk(text);
  }, [text, location, navigate, onAsk]);
}

interface ConversationProps {
  ticketId: string | null;
  sessionId: string | null;
  /** A message to begin at. */
  around: string | null;
  /** The words of the search that led here. */
  words: string;
}

function Conversation({ ticketId: chosen, sessionId, around, words }: ConversationProps) {
  const chat = chatKey(sessionId, chosen);
  const { saved, session, turns, entries } = useSession(chat, sessionId, around);
  const ticketId = session ? session.ticket_id : chosen;
  const ticket = useQuery({ ...ticketQuery(ticketId ?? ""), enabled: ticketId !== null, retry: 1 });
  const side = useSide();
  const navigate = useNavigate();
  usePageTitle(session?.title ?? (ticket.data ? `About: ${ticket.data.title}` : "Chat"));

  const shown = useRef<string | null>(chat);
  useEffect(() => {
    shown.current = chat;
    return () => {
      shown.current = null;
    };
  }, [chat]);
  const { target, isGone, toNewest } = usePlace({ sessionId, around, words, error: saved.error });
  const [composerKey, onRenamed] = useComposerKey(chat);
  const onAsk = useCallback(
    (text: string) => {
      if (around) toNewest();
      const onStarted = (id: string) => {
        if (sessionId || shown.current !== chat) return;
        const params = new URLSearchParams(
          ticketId ? { ticket: ticketId, session: id } : { session: id },
        );
        onRenamed(chatKey(id, null));
        navigate(`/chat?${params}`, { replace: true });
      };
      ask({ chat, text, ticketId, sessionId, onStarted });
    },
    [chat, ticketId, sessionId, around, toNewest, navigate, onRenamed],
  );
  useLinkedQuestion(onAsk);
  const onAskAgain = useCallback(
    ({ id, content }: Message, text: string) => {
      const replaces = id === "" ? undefined : { id, content };
      ask({ chat, text, ticketId, sessionId, replaces });
    },
    [chat, ticketId, sessionId],
  );
  const onContinue = useCallback(() => onAsk("Continue where you stopped."), [onAsk]);

  const turn = turns.find(({ status }) => status === "streaming");
  const isLost = useElapsed(turn?.connectionLost ?? false, 2_000);
  useEffect(() => {
    if (isLost) announce(RECONNECTING);
  }, [isLost]);
  const question =
    turn || saved.hasPreviousPage
      ? undefined
      : entries.findLast(({ message }) => message.role === "user");
  const slow = useDelayed(sessionId !== null && saved.isPending && turns.length === 0);
  const missing = ticket.error instanceof Problem && ticket.error.status === 404;
  const title = missing ? "a deleted ticket" : ticket.data?.title;
  const failed = saved.isError && !saved.data && !isGone;
  return (
    <>
      <div className="hidden w-[272px] shrink-0 border-e border-line lg:block">
        <Side ticketId={ticketId} sessionId={sessionId} onChoose={ignore} />
      </div>
      <Dialog open={side.isOpen} onClose={side.close} title="Chat about" kind="sheet">
        <Side ticketId={ticketId} sessionId={sessionId} onChoose={ignore} />
      </Dialog>
      <div className="flex min-w-0 flex-1 flex-col">
        <ModeBar
          ticketId={ticketId}
          title={title}
          sessionId={sessionId}
          name={session?.title}
          onOpenSide={side.open}
        />
        {failed ? (
          <div className="scroller min-h-0 flex-1">
            <Failure
              title="This chat could not be loaded"
              error={saved.error}
              onRetry={() => void saved.refetch()}
            />
          </div>
        ) : (
          <ThreadView
            key={around}
            target={target}
            chat={chat}
            sessionId={sessionId}
            entries={entries}
            answering={turn !== undefined || saved.hasPreviousPage}
            leftOut={turns.at(-1)?.leftOut ?? 0}
            earlier={{
              available: saved.hasNextPage,
              loading: saved.isFetchingNextPage,
              load: () => void saved.fetchNextPage(),
            }}
            later={{
              available: saved.hasPreviousPage,
              loading: saved.isFetchingPreviousPage,
              load: () => void saved.fetchPreviousPage(),
              toNewest,
            }}
            start={
              sessionId ? (
                slow && <Skeleton className="h-40 w-full" />
              ) : (
                <Start ticket={ticket.data} about={ticketId !== null} onAsk={onAsk} />
              )
            }
            onAskAgain={onAskAgain}
            onContinue={onContinue}
          />
        )}
        {isLost && (
          <p className="bg-warn-bg px-4 py-1.5 text-center text-[14px] text-warn">{RECONNECTING}</p>
        )}
        {!failed && (
          <Composer
            key={composerKey}
            chat={chat}
            turn={turn}
            placeholder={ticketId ? "Ask about this ticket" : "Ask the tutor"}
            lastQuestion={question?.message.id || undefined}
            onSend={onAsk}
          />
        )}
      </div>
    </>
  );
}

export default function ChatPage() {
  const [params] = useSearchParams();
  return (
    <div className="flex h-full min-h-0">
      <h1 className="sr-only">Chat</h1>
      <Conversation
        ticketId={params.get("ticket")}
        sessionId={params.get("session")}
        around={params.get("m")}
        words={params.get("q") ?? ""}
      />
      <StatusRegion />
    </div>
  );
}
