// The navigation: a rail on wide screens and a bar on phones, with pages, search, help, identity and theme.
import { Activity, MessageSquare, Monitor, Moon, Search, Sun, Ticket, Users } from "lucide-react";
import { NavLink } from "react-router";
import { IdentityMenu } from "@/features/identity/identity-menu";
import { cn } from "@/ui/cn";
import { Kbd } from "@/ui/kbd";
import { RoomsMark, useRoomNews } from "./room-news";
import { setTheme, type Theme, useTheme } from "./theme";

const PAGES = [
  { to: "/tickets", label: "Tickets", keys: "g t", Icon: Ticket },
  { to: "/chat", label: "Chat", keys: "g c", Icon: MessageSquare },
  { to: "/rooms", label: "Rooms", keys: "g r", Icon: Users },
  { to: "/status", label: "Status", keys: "g s", Icon: Activity },
] as const;

const THEMES: { name: Theme; label: string; Icon: typeof Sun }[] = [
  { name: "light", label: "Light", Icon: Sun },
  { name: "dark", label: "Dark", Icon: Moon },
  { name: "system", label: "System", Icon: Monitor },
];

export function ThemeSwitch() {
  const theme = useTheme();
  return (
    <fieldset className="flex gap-0.5">
      <legend className="sr-only">Theme</legend>
      {THEMES.map(({ name, label, Icon }) => (
        <button
          key={name}
          type="button"
          aria-label={label}
          title={label}
          aria-pressed={theme === name}
          className="icon-button aria-pressed:bg-raise aria-pressed:text-text"
          onClick={() => setTheme(name)}
        >
          <Icon size={15} aria-hidden="true" />
        </button>
      ))}
    </fieldset>
  );
}

const railItem =
  "flex min-h-9 items-center gap-2.5 rounded-md px-2.5 text-soft hover:bg-raise hover:text-text";

interface NavigationProps {
  onSearch: () => void;
  onHelp: () => void;
}

export function Rail({ onSearch, onHelp }: NavigationProps) {
  const news = useRoomNews();
  return (
    <header className="hidden min-h-0 flex-col gap-0.5 border-e border-line bg-panel px-2.5 py-3.5 md:flex">
      <NavLink
        to="/tickets"
        className="brand px-2.5 pt-1 pb-[18px]"
        aria-label="Tutordesk, tickets"
      >
        tutor<b>desk_</b>
      </NavLink>
      <nav aria-label="Pages" className="grid gap-0.5">
        {PAGES.map(({ to, label, keys, Icon }) => (
          <NavLink
            key={to}
            to={to}
            className={({ isActive }) =>
              cn(railItem, isActive && "bg-raise font-[550] text-text [&_svg]:text-accent")
            }
          >
            <Icon size={16} aria-hidden="true" className="text-dim" />
            <span className="flex-1">{label}</span>
            {to === "/rooms" && <RoomsMark news={news} />}
            <Kbd>{keys}</Kbd>
          </NavLink>
        ))}
      </nav>
      <div className="flex-1" />
      <button type="button" className={railItem} onClick={onSearch}>
        <Search size={16} aria-hidden="true" className="text-dim" />
        <span className="flex-1 text-start">Search</span>
        <Kbd>Ctrl K</Kbd>
      </button>
      <button type="button" className={railItem} onClick={onHelp}>
        <span className="flex-1 text-start">Keyboard help</span>
        <Kbd>?</Kbd>
      </button>
      <div className="mt-2 grid gap-1.5 border-t border-line px-2.5 pt-3">
        <IdentityMenu />
        <div className="-ms-1.5">
          <ThemeSwitch />
        </div>
      </div>
    </header>
  );
}

export function BottomBar({ onSearch }: Pick<NavigationProps, "onSearch">) {
  const news = useRoomNews();
  const item = "grid min-h-[53px] place-items-center content-center gap-0.5 text-[12px] leading-4";
  return (
    <nav
      aria-label="Pages"
      className="grid grid-cols-5 border-t border-line bg-panel pb-[env(safe-area-inset-bottom)] md:hidden"
    >
      {PAGES.map(({ to, label, Icon }) => (
        <NavLink
          key={to}
          to={to}
          className={({ isActive }) =>
            cn(item, isActive ? "font-semibold text-accent" : "text-dim")
          }
        >
          <span className="relative">
            <Icon size={18} aria-hidden="true" />
            {to === "/rooms" && (
              <span className="absolute -top-1.5 inset-s-3 grid">
                <RoomsMark news={news} />
              </span>
            )}
          </span>
          {label}
        </NavLink>
      ))}
      <button type="button" className={`${item} text-dim`} onClick={onSearch}>
        <Search size={18} aria-hidden="true" />
        Search
      </button>
    </nav>
  );
}
