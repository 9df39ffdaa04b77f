// An outgoing message: sending, not confirmed (sending it again is safe), or refused with the server's sentence.
import { readDraft, writeDraft } from "@/lib/drafts/drafts";
import { Button } from "@/ui/button";
import { useElapsed } from "@/ui/waiting";
import type { OutgoingMessage } from "../model/outbox";
import { useCurrentRoom, useRoomContext } from "../model/room-context";
import { draftKey, updateView } from "../model/store";

function State({ message }: { message: OutgoingMessage }) {
  const { session } = useRoomContext();
  const isLive = useCurrentRoom((view) => view.connection === "live");
  const isSlow = useElapsed(message.status === "sending", 800);
  const retry = () => session.sender.retry(message.id);
  if (message.status === "sending") return isSlow && <span>Sending…</span>;
  if (message.status === "unsure") {
    return (
      <>
        <span>
          {isLive
            ? "Not confirmed. Sending it again is safe."
            : "Not confirmed. It will be sent again when the connection is back."}
        </span>
        {isLive && <Button onClick={retry}>Send again</Button>}
      </>
    );
  }
  return (
    <>
      <span role="alert" className="text-danger">
        Not sent. {message.sentence}
      </span>
      <Button onClick={retry}>Send again</Button>
    </>
  );
}

export function PendingMessage({ message }: { message: OutgoingMessage }) {
  const { id, me, session } = useRoomContext();
  const takeBack = () => {
    const text = session.sender.takeBack(message.id);
    const key = draftKey(id, me);
    const draft = readDraft<string>(key)?.value; // for when no composer is open to take the text
    writeDraft(key, draft ? `${text}\n${draft}` : text);
    updateView(id, { takenBack: { text, at: Date.now() } });
  };
  return (
    <article
      aria-label={`You, ${message.status === "sending" ? "sending" : "not sent"}`}
      className="room-message mt-2"
      data-pending={message.status}
    >
      <span className="room-gutter" />
      <div className="room-body">
        <p dir="auto" className="words text-soft">
          {message.content}
        </p>
        <div className="flex min-h-6 flex-wrap items-center gap-x-3 gap-y-1 text-[13px] text-dim">
          <State message={message} />
          {message.status !== "sending" && (
            <Button weight="quiet" onClick={takeBack}>
              Take back
            </Button>
          )}
        </div>
      </div>
    </article>
  );
}
