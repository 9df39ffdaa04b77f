// The pieces of /status: a line that says how one part does, and the figures of an operator.
import type { Status } from "@/lib/types";
import { cn } from "@/ui/cn";

type State = Status["parts"][number]["state"] | "testing";

const DOTS: Record<State, string> = {
  ok: "bg-accent",
  warning: "bg-warn",
  down: "bg-danger",
  off: "border border-edge",
  testing: "border border-edge",
};
const STATE_WORDS: Record<State, string> = {
  ok: "works",
  warning: "look here",
  down: "does not work",
  off: "off",
  testing: "trying…",
};

export function StatusLine({ name, state, says }: { name: string; state: State; says: string }) {
  const isBad = state === "warning" || state === "down";
  return (
    <li className="grid grid-cols-[auto_minmax(0,1fr)_auto] items-baseline gap-x-3 border-b border-line px-4 py-3 md:px-3">
      <span aria-hidden="true" className={cn("size-2 rounded-full", DOTS[state])} />
      <span className="font-[550]">{name}</span>
      <span
        className={cn("meta", isBad && "font-semibold", {
          "text-warn": state === "warning",
          "text-danger": state === "down",
        })}
      >
        {STATE_WORDS[state]}
      </span>
      <span className="col-start-2 col-end-4 min-h-6 text-[14px] text-soft">{says}</span>
    </li>
  );
}

const ms = (value: number): string =>
  value >= 1_000 ? `${(value / 1_000).toFixed(1)} s` : `${Math.max(1, Math.round(value))} ms`;

function bytes(value: number): string {
  if (value < 1_048_576) return `${Math.round(value / 1_024)} KiB`;
  return `${(value / 1_048_576).toFixed(1)} MiB`;
}

function answers(counts: Record<string, number>): string {
  const total = Object.values(counts).reduce((sum, count) => sum + count, 0);
  return counts.failed ? `${total}, ${counts.failed} failed` : String(total);
}

type Figures = NonNullable<Status["figures"]>;

function rowsOf(figures: Figures): [string, string][] {
  const errors = Object.entries(figures.model_errors).map(([name, count]) => `${count} ${name}`);
  const token = figures.first_token_ms;
  return [
    ["Answers being written", String(figures.running_replies)],
    ["Streams open", String(figures.open_streams)],
    ["Sockets open", String(figures.open_sockets)],
    ["Answers since the start", answers(figures.replies)],
    [
      "First word, half within · 95 % within",
      token ? `${ms(token[0])} · ${ms(token[1])}` : "none yet",
    ],
    ["Errors of models", errors.length > 0 ? errors.join(", ") : "none"],
    ["Text not saved yet, at most", `${figures.checkpoint_lag_seconds.toFixed(1)} s`],
    ["Change log", bytes(figures.change_log_bytes)],
  ];
}

export function FigureList({ figures }: { figures: Figures }) {
  return (
    <dl className="grid border-t border-line sm:grid-cols-2 sm:gap-x-6">
      {rowsOf(figures).map(([name, value]) => (
        <div
          key={name}
          className="flex items-baseline justify-between gap-3 border-b border-line px-4 py-2 md:px-3"
        >
          <dt className="text-[14px] text-soft">{name}</dt>
          <dd className="meta text-right text-text">{value}</dd>
        </div>
      ))}
    </dl>
  );
}

const MAX_ROUTES = 12;

export function RouteTable({ routes }: { routes: Figures["routes"] }) {
  const busiest = [...routes].sort((a, b) => b.count - a.count).slice(0, MAX_ROUTES);
  return (
    <table className="w-full border-t border-line text-[14px]">
      <thead className="meta text-left">
        <tr>
          <th className="px-4 py-1.5 font-normal md:px-3">Call</th>
          <th className="py-1.5 text-right font-normal">Times</th>
          <th className="py-1.5 pl-3 text-right font-normal">Half</th>
          <th className="py-1.5 pr-4 pl-3 text-right font-normal md:pr-3">95 %</th>
        </tr>
      </thead>
      <tbody>
        {busiest.map(({ method, route, count, p50_ms, p95_ms }) => (
          <tr key={`${method} ${route}`} className="border-t border-line">
            <td className="meta px-4 py-1.5 break-all text-soft md:px-3">
              {method} {route}
            </td>
            <td className="meta py-1.5 text-right">{count}</td>
            <td className="meta py-1.5 pl-3 text-right whitespace-nowrap">{ms(p50_ms)}</td>
            <td className="meta py-1.5 pr-4 pl-3 text-right whitespace-nowrap md:pr-3">
              {ms(p95_ms)}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
