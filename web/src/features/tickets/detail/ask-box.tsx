// Asks the tutor about a ticket: opens its chat and sends the question there at once. A link leads to the ticket's
// room.
import { type FormEvent, useRef, useState } from "react";
import { Link, useNavigate } from "react-router";
import { isComposing, useHotkeys } from "@/lib/browser/hotkeys";
import { Button, buttonClass } from "@/ui/button";
import { Kbd } from "@/ui/kbd";

export function AskBox({ ticketId }: { ticketId: string }) {
  const [text, setText] = useState("");
  const input = useRef<HTMLInputElement>(null);
  const navigate = useNavigate();
  const ask = () => {
    const question = text.trim();
    navigate(`/chat?ticket=${ticketId}`, { state: question ? { ask: question } : null });
  };
  useHotkeys({ a: ask });
  return (
    <form
      className="grid gap-2 max-lg:grid-cols-[minmax(0,1fr)_auto]"
      onSubmit={(event: FormEvent) => {
        event.preventDefault();
        ask();
      }}
    >
      <input
        ref={input}
        className="field text-ellipsis"
        dir="auto"
        aria-label="Ask about this ticket"
        placeholder="Ask about this ticket"
        autoComplete="off"
        maxLength={4_000}
        value={text}
        onChange={(event) => setText(event.target.value)}
        onKeyDown={(event) => {
          if (event.key === "Enter" && isComposing(event.nativeEvent)) event.preventDefault();
        }}
      />
      <Button type="submit" weight="primary">
        Ask the tutor <Kbd bare>a</Kbd>
      </Button>
      <Link to={`/rooms?ticket=${ticketId}`} className={buttonClass("plain", "max-lg:col-span-2")}>
        Discuss in a room
      </Link>
    </form>
  );
}
