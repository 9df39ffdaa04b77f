// The figures of a server for its operator: running replies, open connections, and the busiest calls.
import type { Status } from "./query";

const duration = (ms: number): string =>
  ms >= 1_000 ? `${(ms / 1_000).toFixed(1)} s` : `${Math.max(1, Math.round(ms))} ms`;

function size(bytes: number): string {
  if (bytes < 1_048_576) return `${Math.round(bytes / 1_024)} KiB`;
  return `${(bytes / 1_048_576).toFixed(1)} MiB`;
}

function replyCounts(counts: Record<string, number>): string {
  const total = Object.values(counts).reduce((sum, count) => sum + count, 0);
  return counts.failed ? `${total}, ${counts.failed} failed` : String(total);
}

type Figures = NonNullable<Status["figures"]>;

function rowsOf(figures: Figures): [string, string][] {
  const errors = Object.entries(figures.model_errors).map(([name, count]) => `${count} ${name}`);
  return [
    ["Running answers", String(figures.running_replies)],
    ["Open streams", String(figures.open_streams)],
    ["Open sockets", String(figures.open_sockets)],
    ["Answers since start", replyCounts(figures.replies)],
    [
      "Time to the first word, median · 95th percentile",
      figures.first_token_ms?.map(duration).join(" · ") ?? "none yet",
    ],
    ["Model errors", errors.length > 0 ? errors.join(", ") : "none"],
    ["Oldest text not saved yet", `${figures.checkpoint_lag_seconds.toFixed(1)} s`],
    ["Change log", size(figures.change_log_bytes)],
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
          <dd className="meta text-end text-text">{value}</dd>
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
      <thead className="meta text-start">
        <tr>
          <th className="px-4 py-1.5 font-normal md:px-3">Call</th>
          <th className="py-1.5 text-end font-normal">Count</th>
          <th className="py-1.5 ps-3 text-end font-normal">Median</th>
          <th className="py-1.5 pe-4 ps-3 text-end font-normal md:pe-3">95 %</th>
        </tr>
      </thead>
      <tbody>
        {busiest.map(({ method, route, count, p50_ms, p95_ms }) => (
          <tr key={`${method} ${route}`} className="border-t border-line">
            <td className="meta px-4 py-1.5 break-all text-soft md:px-3">
              {method} {route}
            </td>
            <td className="meta py-1.5 text-end">{count}</td>
            <td className="meta py-1.5 ps-3 text-end whitespace-nowrap">{duration(p50_ms)}</td>
            <td className="meta py-1.5 pe-4 ps-3 text-end whitespace-nowrap md:pe-3">
              {duration(p95_ms)}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
