// The line above a message: its author, its time, and its buttons.
import type { ReactNode } from "react";
import type { Message } from "@/lib/api/types";
import { clockTime, exactTime } from "@/lib/text/time";

interface HeadingProps {
  message: Message;
  children?: ReactNode;
}

export function Heading({ message, children }: HeadingProps) {
  const tutor = message.role === "assistant";
  return (
    <div className="mb-0.5 flex min-h-6 items-center gap-x-2">
      <h2 className="meta flex gap-2.5">
        <span className={tutor ? "font-semibold text-accent" : "font-semibold text-soft"}>
          {tutor ? "tutor" : "you"}
        </span>
        <time dateTime={message.created_at} title={exactTime(message.created_at)}>
          {clockTime(message.created_at)}
        </time>
      </h2>
      {children}
    </div>
  );
}
