// Short notices at the upper edge, where they cover no composer, with at most one action such as Undo. `toast()` may be called from
// anywhere; `<Toaster>` is mounted once. A notice waits while it is pointed at or focused.
import { X } from "lucide-react";
import { useEffect, useState } from "react";
import { createPortal } from "react-dom";
import { create } from "zustand";

interface Toast {
  id: number;
  text: string;
  action?: { label: string; run: () => void };
  ms: number;
}

const useToasts = create<{ toasts: Toast[] }>(() => ({ toasts: [] }));
let nextId = 1;

const dismiss = (id: number) =>
  useToasts.setState(({ toasts }) => ({ toasts: toasts.filter((toast) => toast.id !== id) }));

export function toast(text: string, action?: Toast["action"], ms = action ? 10_000 : 5_000): void {
  const id = nextId++;
  useToasts.setState(({ toasts }) => ({ toasts: [...toasts.slice(-2), { id, text, action, ms }] }));
}

function ToastView({ item }: { item: Toast }) {
  const [held, setHeld] = useState(false);
  useEffect(() => {
    if (held) return;
    const timer = setTimeout(() => dismiss(item.id), item.ms);
    return () => clearTimeout(timer);
  }, [held, item]);
  return (
    <li
      className="pointer-events-auto flex items-center gap-3 rounded-md border border-line bg-raise py-1.5 pr-1.5 pl-3.5 text-[14px] shadow-overlay"
      onMouseEnter={() => setHeld(true)}
      onMouseLeave={() => setHeld(false)}
      onFocus={() => setHeld(true)}
      onBlur={() => setHeld(false)}
    >
      <span className="min-w-0 break-words py-1">{item.text}</span>
      {item.action && (
        <button
          type="button"
          className="text-button font-semibold text-accent"
          onClick={() => {
            item.action?.run();
            dismiss(item.id);
          }}
        >
          {item.action.label}
        </button>
      )}
      <button
        type="button"
        className="icon-button"
        aria-label="Dismiss"
        onClick={() => dismiss(item.id)}
      >
        <X size={14} aria-hidden="true" />
      </button>
    </li>
  );
}

/** The dialog on top, for while it is open nothing outside of it can be pressed. */
function useTopDialog(count: number): Element | null {
  const [dialog, setDialog] = useState<Element | null>(null);
  useEffect(() => {
    if (count === 0) return;
    const look = () => setDialog([...document.querySelectorAll("dialog[open]")].at(-1) ?? null);
    look();
    document.addEventListener("close", look, true);
    return () => document.removeEventListener("close", look, true);
  }, [count]);
  return dialog;
}

export function Toaster() {
  const toasts = useToasts((state) => state.toasts);
  const dialog = useTopDialog(toasts.length);
  const list = (
    <ol className="grid max-w-md gap-2">
      {toasts.map((item) => (
        <ToastView key={item.id} item={item} />
      ))}
    </ol>
  );
  return (
    <>
      <section aria-label="Notices" aria-live="polite" className="toasts">
        {!dialog && list}
      </section>
      {dialog &&
        createPortal(
          <section aria-label="Notices" aria-live="polite" className="toasts">
            {list}
          </section>,
          dialog,
        )}
    </>
  );
}
