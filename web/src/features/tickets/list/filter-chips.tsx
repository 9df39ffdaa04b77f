// Categories and tags as chips with counts. Pressed chips filter the list and are always shown, even if rare. Other
// tags are behind "more".
import { useQuery } from "@tanstack/react-query";
import { X } from "lucide-react";
import { useState } from "react";
import { facetsQuery } from "@/lib/api/queries";
import type { Facet, TicketFilter } from "@/lib/api/types";

const MAX_SHOWN_TAGS = 8;

interface FilterChipsProps {
  filter: TicketFilter;
  onChange: (part: Partial<TicketFilter>) => void;
}

interface ChipProps {
  facet: Facet;
  prefix?: string;
  isOn: boolean;
  onClick: () => void;
}

function Chip({ facet, prefix = "", isOn, onClick }: ChipProps) {
  return (
    <button type="button" className="chip" aria-pressed={isOn} onClick={onClick}>
      <span dir="auto" className="max-w-[24ch] truncate">
        {prefix}
        {facet.name}
      </span>
      {isOn ? <X size={13} aria-hidden="true" /> : <span className="count">{facet.count}</span>}
    </button>
  );
}

/** Return the facets with the chosen ones first; a chosen one the server does not list has count 0. */
function chosenFirst(facets: Facet[], chosen: string[]): Facet[] {
  const first = chosen.map(
    (name) => facets.find((facet) => facet.name === name) ?? { name, count: 0 },
  );
  return [...first, ...facets.filter((facet) => !chosen.includes(facet.name))];
}

export function FilterChips({ filter, onChange }: FilterChipsProps) {
  const [isExpanded, setExpanded] = useState(false);
  const { data } = useQuery(facetsQuery);
  const categories = chosenFirst(data?.categories ?? [], filter.category ? [filter.category] : []);
  const tags = chosenFirst(data?.tags ?? [], filter.tags);
  const shown = isExpanded ? tags : tags.slice(0, Math.max(MAX_SHOWN_TAGS, filter.tags.length));
  if (data && categories.length + tags.length === 0) return null;
  return (
    <fieldset className="-mx-4 flex min-w-0 min-h-[30px] gap-1.5 overflow-x-auto px-4 py-0.5 [scrollbar-width:none] md:mx-0 md:flex-wrap md:overflow-visible md:px-0">
      <legend className="sr-only">Filters</legend>
      {categories.map((facet) => {
        const isOn = filter.category === facet.name;
        return (
          <Chip
            key={`c:${facet.name}`}
            facet={facet}
            isOn={isOn}
            onClick={() => onChange({ category: isOn ? "" : facet.name })}
          />
        );
      })}
      {categories.length > 0 && shown.length > 0 && (
        <span aria-hidden="true" className="mx-1 my-1 border-s border-line" />
      )}
      {shown.map((facet) => {
        const isOn = filter.tags.includes(facet.name);
        const next = isOn
          ? filter.tags.filter((tag) => tag !== facet.name)
          : [...filter.tags, facet.name];
        return (
          <Chip
            key={`t:${facet.name}`}
            prefix="#"
            facet={facet}
            isOn={isOn}
            onClick={() => onChange({ tags: next })}
          />
        );
      })}
      {tags.length > MAX_SHOWN_TAGS && (
        <button
          type="button"
          className="chip"
          aria-expanded={isExpanded}
          onClick={() => setExpanded(!isExpanded)}
        >
          {isExpanded ? "Fewer" : `${tags.length - shown.length} more`}
        </button>
      )}
    </fieldset>
  );
}
