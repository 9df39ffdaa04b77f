// Categories and tags as chips with counts; pressed ones filter. What is chosen always shows, also
// when it is rare; the rest is behind "More".
import { useQuery } from "@tanstack/react-query";
import { X } from "lucide-react";
import { useState } from "react";
import type { TicketFilter } from "@/lib/api";
import { facetsQuery } from "@/lib/queries";
import type { Facet } from "@/lib/types";

const MAX_SHOWN_TAGS = 8;

interface FilterChipsProps {
  filter: TicketFilter;
  onChange: (part: Partial<TicketFilter>) => void;
}

interface ChipProps {
  facet: Facet;
  prefix?: string;
  on: boolean;
  onClick: () => void;
}

function Chip({ facet, prefix = "", on, onClick }: ChipProps) {
  return (
    <button type="button" className="chip" aria-pressed={on} onClick={onClick}>
      <span className="max-w-[24ch] truncate">
        {prefix}
        {facet.name}
      </span>
      {on ? <X size={13} aria-hidden="true" /> : <span className="count">{facet.count}</span>}
    </button>
  );
}

/** The facets with the chosen ones first, added if the server does not list them. */
function chosenFirst(facets: Facet[], chosen: string[]): Facet[] {
  const on = chosen.map(
    (name) => facets.find((facet) => facet.name === name) ?? { name, count: 0 },
  );
  return [...on, ...facets.filter((facet) => !chosen.includes(facet.name))];
}

export function FilterChips({ filter, onChange }: FilterChipsProps) {
  const [all, setAll] = useState(false);
  const { data } = useQuery(facetsQuery);
  const categories = chosenFirst(data?.categories ?? [], filter.category ? [filter.category] : []);
  const tags = chosenFirst(data?.tags ?? [], filter.tags);
  const shown = all ? tags : tags.slice(0, Math.max(MAX_SHOWN_TAGS, filter.tags.length));
  if (data && categories.length + tags.length === 0) return null;
  return (
    <fieldset className="-mx-4 flex min-h-[26px] gap-1.5 overflow-x-auto px-4 py-0.5 [scrollbar-width:none] md:mx-0 md:flex-wrap md:overflow-visible md:px-0">
      <legend className="sr-only">Filters</legend>
      {categories.map((facet) => {
        const on = filter.category === facet.name;
        return (
          <Chip
            key={`c:${facet.name}`}
            facet={facet}
            on={on}
            onClick={() => onChange({ category: on ? "" : facet.name })}
          />
        );
      })}
      {categories.length > 0 && shown.length > 0 && (
        <span aria-hidden="true" className="mx-1 my-1 border-l border-line" />
      )}
      {shown.map((facet) => {
        const on = filter.tags.includes(facet.name);
        const next = on
          ? filter.tags.filter((tag) => tag !== facet.name)
          : [...filter.tags, facet.name];
        return (
          <Chip
            key={`t:${facet.name}`}
            prefix="#"
            facet={facet}
            on={on}
            onClick={() => onChange({ tags: next })}
          />
        );
      })}
      {tags.length > MAX_SHOWN_TAGS && (
        <button type="button" className="chip" aria-expanded={all} onClick={() => setAll(!all)}>
          {all ? "Fewer" : `${tags.length - shown.length} more`}
        </button>
      )}
    </fieldset>
  );
}
