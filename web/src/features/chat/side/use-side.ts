// Opens and closes the side as a sheet on narrow screens. The open sheet is a history entry, so that "back" closes it,
// and leads back to the list from a chat that was opened in it.
import { useCallback, useEffect, useRef } from "react";
import { useLocation, useNavigate } from "react-router";

export function useSide() {
  const { pathname, search, state } = useLocation();
  const navigate = useNavigate();
  const isOpen = state?.side === true;
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
    shown.current = false; // close once, even if pressed twice
    navigate(-1);
  }, [navigate]);
  return { isOpen, open, close };
}
