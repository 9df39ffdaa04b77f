// Marks names after an `@`, where a `MentionNames` context provides the names. Elsewhere, and in code, an `@` stays plain.
import { createContext } from "react";
import { splitMentions } from "@/lib/text/mentions";

export const MentionNames = createContext<readonly string[] | null>(null);

export function Mentions({ text, names }: { text: string; names: readonly string[] }) {
  if (!text.includes("@")) return text;
  return splitMentions(text, names).map((piece, index) =>
    piece.isMention ? (
      <bdi key={index} className="md-mention">
        {piece.text}
      </bdi>
    ) : (
      piece.text
    ),
  );
}
