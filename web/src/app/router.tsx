// The pages and their paths. The code of the first page is fetched before the first render, so a lazy route costs no
// extra round trip.
import { type ComponentType, type LazyExoticComponent, lazy, Suspense } from "react";
import { BrowserRouter, Navigate, Route, Routes } from "react-router";
import { NotFound } from "./not-found";
import { PageError } from "./page-error";
import { Shell } from "./shell";

type PageModule = Promise<{ default: ComponentType }>;

const load = {
  list: (): PageModule => import("@/features/tickets/list/tickets-page"),
  create: (): PageModule => import("@/features/tickets/form/new-ticket-page"),
  detail: (): PageModule => import("@/features/tickets/detail/ticket-page"),
  edit: (): PageModule => import("@/features/tickets/form/edit-ticket-page"),
  chat: (): PageModule => import("@/features/chat/page"),
  rooms: (): PageModule => import("@/features/rooms/list/rooms-page"),
  room: (): PageModule => import("@/features/rooms/page/room-page"),
  status: (): PageModule => import("@/features/status/status-page"),
};

/** Start fetching the page of a path. main.tsx calls it with the first path before React runs. */
export function preloadPage(path: string): void {
  const pages: [RegExp, () => PageModule][] = [
    [/^\/(?:tickets)?$/, load.list],
    [/^\/tickets\/new$/, load.create],
    [/^\/tickets\/[^/]+\/edit$/, load.edit],
    [/^\/tickets\//, load.detail],
    [/^\/chat$/, load.chat],
    [/^\/rooms$/, load.rooms],
    [/^\/rooms\//, load.room],
    [/^\/status$/, load.status],
  ];
  const page = pages.find(([pattern]) => pattern.test(path))?.[1];
  page?.().catch(() => undefined); // PageError shows it when the page is rendered
}

const pages = {
  list: lazy(load.list),
  create: lazy(load.create),
  detail: lazy(load.detail),
  edit: lazy(load.edit),
  chat: lazy(load.chat),
  rooms: lazy(load.rooms),
  room: lazy(load.room),
  status: lazy(load.status),
};

const show = (Page: LazyExoticComponent<ComponentType>) => (
  <PageError>
    <Suspense fallback={null}>
      <Page />
    </Suspense>
  </PageError>
);

export function Router() {
  return (
    <BrowserRouter>
      <Routes>
        <Route element={<Shell />}>
          <Route path="/" element={<Navigate to="/tickets" replace />} />
          <Route path="/tickets" element={show(pages.list)} />
          <Route path="/tickets/new" element={show(pages.create)} />
          <Route path="/tickets/:id" element={show(pages.detail)} />
          <Route path="/tickets/:id/edit" element={show(pages.edit)} />
          <Route path="/chat" element={show(pages.chat)} />
          <Route path="/rooms" element={show(pages.rooms)} />
          <Route path="/rooms/:id" element={show(pages.room)} />
          <Route path="/status" element={show(pages.status)} />
          <Route path="*" element={<NotFound />} />
        </Route>
      </Routes>
    </BrowserRouter>
  );
}
