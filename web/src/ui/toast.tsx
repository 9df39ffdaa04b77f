// Shows short notices below the head of the page, where they cover neither its primary button nor a composer, with at
// most one action such as Undo. Any part of the client may call `toast()`; `<Toaster>` is mounted once. A notice stays
// while it has the pointer or the focus.
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
  const [isPaused, setPaused] = useState(false);
  useEffect(() => {
    if (isPaused) return;
    const timer = setTimeout(() => dismiss(item.id), item.ms);
    return () => clearTimeout(timer);
  }, [isPaused, item]);
  return (
    <li
      className="pointer-events-auto flex items-center gap-3 rounded-md border border-line bg-raise py-1.5 pe-1.5 ps-3.5 text-[14px] shadow-overlay"
      onMouseEnter={() => setPaused(true)}
      onMouseLeave={() => setPaused(false)}
      onFocus={() => setPaused(true)}
      onBlur={() => setPaused(false)}
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

/** Return the topmost dialog: while it is open, nothing outside of it can be pressed. */
function useTopDialog(count: number): Element | null {
  const [dialog, setDialog] = useState<Element | null>(null);
  useEffect(() => {
    if (count === 0) return;
    const update = () => setDialog([...document.querySelectorAll("dialog[open]")].at(-1) ?? null);
    update();
    document.addEventListener("close", update, true);
    return () => document.removeEventListener("close", update, true);
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
