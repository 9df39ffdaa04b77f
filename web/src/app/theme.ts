// The chosen theme: light, dark or the system's. /theme.js applies it before the first paint. This module changes it
// afterwards, in every tab.
import { useSyncExternalStore } from "react";

export type Theme = "system" | "light" | "dark";
const KEY = "tutordesk.theme";
const COLORS = { dark: "#0f1216", light: "#f6f7f9" };
const listeners = new Set<() => void>();
const systemDark = matchMedia("(prefers-color-scheme: dark)");

function readTheme(): Theme {
  try {
    const stored = localStorage.getItem(KEY);
    return stored === "light" || stored === "dark" ? stored : "system";
  } catch {
    return "system";
  }
}

let current = readTheme();

function apply(): void {
  const name = current === "system" ? (systemDark.matches ? "dark" : "light") : current;
  document.documentElement.dataset.theme = name;
  document.querySelector('meta[name="theme-color"]')?.setAttribute("content", COLORS[name]);
  for (const listener of listeners) listener();
}

systemDark.addEventListener("change", apply);
window.addEventListener("storage", (event) => {
  if (event.key !== KEY) return;
  current = readTheme();
  apply();
});

export function setTheme(theme: Theme): void {
  current = theme;
  try {
    localStorage.setItem(KEY, theme);
  } catch {
    // Storage is off: the choice lasts as long as the page.
  }
  apply();
}

export function useTheme(): Theme {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => current,
  );
}
