// Starts a chat with a greeting and a few suggested questions, taken from the chosen ticket or from the newest tickets.
import { useInfiniteQuery } from "@tanstack/react-query";
import { ticketListQuery } from "@/lib/api/queries";
import type { Ticket } from "@/lib/api/types";

const NO_FILTER = { q: "", category: "", tags: [] };

/** Return the headings of a description, outside code. */
function headings(description: string): string[] {
  const text = description
    .replace(/\r\n?/g, "\n")
    .replace(/^(```|~~~)[\s\S]*?(?:\n\1|$(?![\s\S]))/gm, "");
  return [...text.matchAll(/^#{1,3} +([^\n#]{3,60})$/gm)].map((match) => (match[1] ?? "").trim());
}

export function suggestionsFor(ticket: Ticket): string[] {
  const about = headings(ticket.description)
    .filter((heading) => !/[*`$[\]]/.test(heading))
    .slice(0, 2)
    .map((heading) => `Explain “${heading}” in more detail`);
  return [
    "Explain this step by step",
    ...about,
    "What should I check first?",
    "Show me an example",
  ].slice(0, 4);
}

interface StartProps {
  ticket: Ticket | undefined;
  about: boolean;
  onAsk: (text: string) => void;
}

export function Start({ ticket, about, onAsk }: StartProps) {
  const { data } = useInfiniteQuery({ ...ticketListQuery(NO_FILTER), enabled: !about });
  const titles = data?.pages[0]?.data.slice(0, 3).map((item) => `Explain: ${item.title}`) ?? [];
  const suggestions = ticket
    ? suggestionsFor(ticket)
    : about
      ? []
      : ["What do the tickets cover?", ...titles];
  return (
    <section className="pt-[8vh] pb-6">
      <h2 className="text-[22px] leading-tight font-[650] tracking-tight text-balance">
        {about ? "Ask about this ticket" : "Ask the tutor"}
      </h2>
      <p className="mt-2 max-w-[56ch] min-h-12 text-soft text-pretty">
        {about
          ? ticket?.ai_summary || "The tutor has read this ticket and answers from it."
          : "The tutor searches all tickets, explains step by step, and tells you if they hold no answer."}
      </p>
      <ul className="mt-5 grid gap-2">
        {suggestions.map((text) => (
          <li key={text}>
            <button
              type="button"
              className="w-full rounded-md border border-line px-3.5 py-2 text-start text-soft break-words hover:bg-panel hover:text-text"
              onClick={() => onAsk(text)}
            >
              {text}
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}
