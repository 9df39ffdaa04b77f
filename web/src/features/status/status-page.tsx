// /status: whether the parts of Tutordesk work, whether streams and sockets reach this browser, and the figures, which
// admins and the machine itself can see.
import { queryOptions, useQuery } from "@tanstack/react-query";
import { RotateCw } from "lucide-react";
import type { ReactNode } from "react";
import { usePageTitle } from "@/lib/browser/page";
import { Button } from "@/ui/button";
import { Failure, Skeleton, useDelayed } from "@/ui/states";
import { FigureList, RouteTable } from "./figures";
import { type Status, statusQuery } from "./query";
import { testSocket, testStream, type Verdict } from "./self-test";
import { StatusLine } from "./status-line";

const tests = [
  { name: "Streams", key: "stream", run: testStream, about: "an answer's words, one by one" },
  { name: "Sockets", key: "socket", run: testSocket, about: "messages of rooms, both ways" },
] as const;
const testQuery = ({ key, run }: (typeof tests)[number]) =>
  queryOptions<Verdict>({
    queryKey: ["status", "test", key],
    queryFn: ({ signal }) => run(signal),
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 0,
    retry: false,
  });
const NAMES: Record<Status["parts"][number]["name"], string> = {
  database: "Database",
  disk: "Disk",
  tutor: "Tutor",
  change_log: "Change log",
};

function Section({
  title,
  note,
  children,
}: {
  title: string;
  note?: ReactNode;
  children: ReactNode;
}) {
  return (
    <section className="mt-7">
      <div className="flex min-h-9 items-center justify-between gap-3 px-4 pb-1 md:px-3">
        <h2 className="meta font-semibold">{title}</h2>
        {note}
      </div>
      {children}
    </section>
  );
}

function SelfTest() {
  const stream = useQuery(testQuery(tests[0]));
  const socket = useQuery(testQuery(tests[1]));
  const isRunning = stream.isFetching || socket.isFetching;
  const testAgain = () => void Promise.all([stream.refetch(), socket.refetch()]);
  return (
    <Section
      title="From here to the server"
      note={
        <Button weight="quiet" onClick={testAgain} disabled={isRunning}>
          <RotateCw size={14} aria-hidden="true" />
          Test again
        </Button>
      }
    >
      <ul aria-live="polite" className="border-t border-line">
        {[stream, socket].map((test, index) => (
          <StatusLine
            key={tests[index]?.key}
            name={tests[index]?.name ?? ""}
            state={test.isFetching || !test.data ? "testing" : test.data.state}
            says={test.isFetching ? `Testing ${tests[index]?.about}.` : (test.data?.says ?? "")}
          />
        ))}
      </ul>
    </Section>
  );
}

const isBad = ({ state }: { state: string }) => state === "warning" || state === "down";

function headline(status: Status): string {
  if (status.parts.some(({ state }) => state === "down")) return "Something is not working.";
  return status.parts.some(isBad) ? "Works, but something needs attention." : "Everything works.";
}

function Waiting() {
  const isSlow = useDelayed(true);
  return isSlow ? <Skeleton className="mx-4 mt-6 h-40 md:mx-3" /> : null;
}

export default function StatusPage() {
  usePageTitle("Status");
  const { data, error, refetch } = useQuery(statusQuery);
  return (
    <div className="mx-auto max-w-[820px] pt-4 pb-16 md:px-6 md:pt-[22px]">
      <div className="px-4 md:px-3">
        <h1 className="text-[22px] leading-tight font-[650] tracking-tight">Status</h1>
        <p role="status" className="min-h-6 text-[14px] text-soft">
          {error
            ? "Tutordesk is not answering right now. This page keeps retrying."
            : data && headline(data)}
        </p>
      </div>
      {!data && !error && <Waiting />}
      {!data && error && (
        <Failure
          title="The status could not be loaded"
          error={error}
          onRetry={() => void refetch()}
        />
      )}
      {data && (
        <Section title={`Tutordesk ${data.version}`}>
          <ul className="border-t border-line">
            {data.parts.map(({ name, state, says }) => (
              <StatusLine
                key={name}
                name={NAMES[name]}
                state={error ? "testing" : state}
                says={says}
              />
            ))}
          </ul>
        </Section>
      )}
      {/* It waits for what is above, whose height is not known before. */}
      {(data || error) && <SelfTest />}
      {data?.figures && (
        <>
          <Section title="Right now">
            <FigureList figures={data.figures} />
          </Section>
          <Section title="Calls since start">
            <RouteTable routes={data.figures.routes} />
          </Section>
        </>
      )}
    </div>
  );
}
