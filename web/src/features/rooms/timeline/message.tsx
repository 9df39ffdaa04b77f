// One message of a room as an article: its text, that it was deleted, or the field that edits it. An answer of the
// tutor has a tag, the name of the person who asked, and Stop while it grows.
import { memo } from "react";
import type { RoomMessage } from "@/lib/api/types";
import { clockTime, exactTime } from "@/lib/text/time";
import { StreamingMarkdown } from "@/markdown/streaming";
import { Thought } from "@/ui/thought";
import { useRoomContext } from "../model/room-context";
import { useRoomStore } from "../model/store";
import { MessageEditor } from "./message-editor";
import { MessageMenu } from "./message-menu";
import { StopAnswer } from "./stop-answer";

interface MessageProps {
  message: RoomMessage;
  /** The first of its group, with its author's name above. */
  isHead: boolean;
  /** For an answer: the name of the person who asked. */
  asker: string | undefined;
  isEditing: boolean;
  onEdit: (id: string | null) => void;
}

/** They follow the status, which says it in one word. */
const ENDING_WORDS: Record<string, string> = {
  stopped: "The answer ends here.",
  interrupted: "The server stopped while answering.",
  failed: "The tutor could not finish. Ask again.",
};

function Head({ message, asker }: Pick<MessageProps, "message" | "asker">) {
  return (
    <p className="flex min-h-6 flex-wrap items-center gap-x-2 text-[14px] leading-6">
      <strong
        dir="auto"
        className={message.is_agent ? "font-[620] text-accent" : "font-[620] break-words"}
      >
        {message.name}
      </strong>
      {message.is_agent && <span className="ai-tag">AI</span>}
      <time
        dateTime={message.created_at}
        title={exactTime(message.created_at)}
        className="meta md:hidden"
      >
        {clockTime(message.created_at)}
      </time>
      {message.is_agent && asker && (
        <span className="text-[13px] text-dim">
          {message.status === "streaming" ? "answering" : "asked by"} <bdi>{asker}</bdi>
        </span>
      )}
      {message.status === "streaming" && <StopAnswer replyId={message.id} />}
    </p>
  );
}

/** The text. While it grows, only this part renders again. */
function Text({ message }: { message: RoomMessage }) {
  const isStreaming = message.status === "streaming";
  const runningText = useRoomStore((state) =>
    isStreaming ? state.answerTexts[message.id] : undefined,
  );
  const text = runningText ?? message.content;
  return (
    <>
      {message.is_agent && (
        <Thought
          replyId={message.id}
          saved={message.thinking}
          isWaiting={isStreaming && text === ""}
        />
      )}
      {text !== "" && <StreamingMarkdown text={text} streaming={isStreaming} />}
      {message.edited_at && (
        <span className="text-[12px] text-dim" title={`Edited ${exactTime(message.edited_at)}`}>
          edited
        </span>
      )}
    </>
  );
}

function Ending({ message }: { message: RoomMessage }) {
  const words = message.error ?? ENDING_WORDS[message.status ?? ""];
  if (!words) return null;
  const colours = message.status === "stopped" ? "bg-panel text-soft" : "bg-warn-bg text-warn";
  return (
    <p className={`mt-1.5 rounded-md px-3 py-1.5 text-[14px] break-words ${colours}`}>
      <strong className="me-2 font-mono text-[12px] font-semibold uppercase">
        {message.status}
      </strong>
      {words}
    </p>
  );
}

export const Message = memo(function Message(props: MessageProps) {
  const { message, isHead, asker, isEditing, onEdit } = props;
  const { me } = useRoomContext();
  const author = message.user_id === me ? "You" : message.name;
  const mentionsMe = message.mentions.includes(me);
  return (
    <article
      aria-label={`${author}, ${clockTime(message.created_at)}`}
      aria-busy={message.status === "streaming"}
      data-message={message.id}
      data-head={isHead || undefined}
      data-mine={mentionsMe || undefined}
      tabIndex={-1}
      className="room-message"
    >
      <time
        dateTime={message.created_at}
        title={exactTime(message.created_at)}
        className="room-gutter meta"
      >
        {clockTime(message.created_at)}
      </time>
      <div className="room-body">
        {isHead && <Head message={message} asker={asker} />}
        {message.deleted_at ? (
          <p className="text-[14px] text-dim italic">Deleted message</p>
        ) : isEditing ? (
          <MessageEditor message={message} onDone={() => onEdit(null)} />
        ) : (
          <Text message={message} />
        )}
        <Ending message={message} />
      </div>
      {!message.deleted_at && message.status !== "streaming" && !isEditing && (
        <MessageMenu message={message} onEdit={onEdit} />
      )}
    </article>
  );
});
