// Whether the side is open as a sheet on narrow screens. A history entry of its own holds it, so that "back"
// closes it, and from a chat opened in it leads back to the list.
import { useCallback, useEffect, useRef } from "react";
import { useLocation, useNavigate } from "react-router";

export function useSide() {
  const { pathname, search, state } = useLocation();
  const navigate = useNavigate();
  const isOpen = (state as { side?: unknown } | null)?.side === true;
  const shown = useRef(isOpen);
  useEffect(() => {
    shown.current = isOpen;
  }, [isOpen]);
  const open = useCallback(
    () => navigate(pathname + search, { state: { side: true } }),
    [navigate, pathname, search],
  );
  const close = useCallback(() => {
    if (!shown.current) return;
    shown.current = false; // once, however many presses
    navigate(-1);
  }, [navigate]);
  return { isOpen, open, close };
}
