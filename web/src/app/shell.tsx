// The frame around every page: navigation, palette, help, notices, the warning before foreign links, banners, and the
// stream that keeps ticket lists current.
import { lazy, Suspense, useEffect, useRef, useState } from "react";
import { Outlet, useLocation, useNavigate } from "react-router";
import { useIdentityAcrossTabs } from "@/features/identity/identity-menu";
import { useTicketEvents } from "@/features/tickets/model/ticket-events";
import { followEpochOfTabs, wasRestored } from "@/lib/api/epoch";
import { useHotkeys } from "@/lib/browser/hotkeys";
import { useIdentity } from "@/lib/browser/identity";
import { LinkGuard } from "@/markdown/links";
import { Toaster, toast } from "@/ui/toast";
import { Banners } from "./banners";
import { Help } from "./help";
import { BottomBar, Rail } from "./navigation";
import { useRoomEvents } from "./room-news";
import { useScrollMemory } from "./scroll";
import { useScrollKeys } from "./scroll-keys";

const Palette = lazy(() => import("./palette"));
const IdentityDialogs = lazy(() => import("@/features/identity/identity-dialogs"));
/** Pages as high as the window; their parts scroll instead of the page. */
const FULL_HEIGHT = /^\/(?:chat|rooms\/[^/]+)\/?$/;

/** Mounted when first needed, and kept so that a closing dialog can return the focus. */
function Identity() {
  const isOpen = useIdentity((state) => state.dialog !== null);
  const [isNeeded, setNeeded] = useState(false);
  useEffect(() => {
    if (isOpen) setNeeded(true);
  }, [isOpen]);
  if (!isNeeded) return null;
  return (
    <Suspense fallback={null}>
      <IdentityDialogs />
    </Suspense>
  );
}

const RESTORED =
  "Tutordesk was restored to an earlier state, and this page shows it. Your drafts are kept.";

/** Reload the page when the data were restored, and say so. */
function useEpoch() {
  useEffect(() => {
    if (wasRestored()) toast(RESTORED, undefined, 20_000);
    return followEpochOfTabs();
  }, []);
}

export function Shell() {
  const [palette, setPalette] = useState<"never" | "open" | "closed">("never");
  const [help, setHelp] = useState(false);
  const navigate = useNavigate();
  const { pathname } = useLocation();
  const main = useRef<HTMLElement>(null);
  useTicketEvents();
  useRoomEvents();
  useIdentityAcrossTabs();
  useEpoch();
  useScrollMemory(main);
  useScrollKeys(main);
  const search = () => setPalette("open");
  useHotkeys({
    "mod+k": () => setPalette((state) => (state === "open" ? "closed" : "open")),
    "?": () => setHelp(true),
    n: () => navigate("/tickets/new"),
    "g t": () => navigate("/tickets"),
    "g c": () => navigate("/chat"),
    "g r": () => navigate("/rooms"),
    "g s": () => navigate("/status"),
  });
  // A navigation may remove the focused element. Focus the page then, unless it has set the focus itself.
  const shown = useRef(pathname);
  useEffect(() => {
    if (shown.current === pathname) return;
    shown.current = pathname;
    if (document.activeElement === document.body) main.current?.focus({ preventScroll: true });
  }, [pathname]);

  return (
    <div className="grid h-dvh grid-rows-[minmax(0,1fr)_auto] md:grid-cols-[196px_minmax(0,1fr)] md:grid-rows-1">
      <a
        href="#main"
        className="sr-only rounded-md focus:not-sr-only focus:fixed focus:top-2 focus:inset-s-2 focus:z-50 focus:bg-raise focus:px-3 focus:py-2"
      >
        Skip to content
      </a>
      <Rail onSearch={search} onHelp={() => setHelp(true)} />
      <div className="flex min-h-0 min-w-0 flex-col">
        <Banners />
        <main
          ref={main}
          id="main"
          tabIndex={-1}
          className={`min-h-0 flex-1 ${FULL_HEIGHT.test(pathname) ? "overflow-hidden" : "scroller"}`}
        >
          <Outlet />
        </main>
      </div>
      <BottomBar onSearch={search} />
      {palette !== "never" && (
        <Suspense fallback={null}>
          <Palette open={palette === "open"} onClose={() => setPalette("closed")} />
        </Suspense>
      )}
      <Help open={help} onClose={() => setHelp(false)} />
      <Identity />
      <LinkGuard />
      <Toaster />
    </div>
  );
}
