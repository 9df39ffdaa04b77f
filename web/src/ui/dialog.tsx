// Shows a modal in a native <dialog>. The browser keeps the focus inside, returns it, and closes the dialog on Esc. No
// scroll lock injects a style, which the content security policy would refuse.
import { X } from "lucide-react";
import { type MouseEvent, type ReactNode, useEffect, useId, useRef } from "react";
import { cn } from "./cn";

interface DialogProps {
  open: boolean;
  onClose: () => void;
  title: string;
  children: ReactNode;
  kind?: "box" | "sheet" | "palette";
  hideTitle?: boolean;
}

export function Dialog({ open, onClose, title, children, kind = "box", hideTitle }: DialogProps) {
  const ref = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const dialog = ref.current;
    if (!dialog) return;
    if (open && !dialog.open) dialog.showModal();
    if (!open && dialog.open) dialog.close();
  }, [open]);
  const onBackdrop = (event: MouseEvent) => {
    if (event.target === ref.current) onClose();
  };
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: Esc is the key for it, and native
    <dialog
      ref={ref}
      className={cn("dialog", `dialog-${kind}`)}
      aria-labelledby={id}
      onClose={onClose}
      onClick={onBackdrop}
    >
      {open && (
        <div className="dialog-body">
          <div className={hideTitle ? "sr-only" : "mb-3 flex items-center justify-between gap-4"}>
            <h2 id={id} className="text-[17px] font-semibold">
              {title}
            </h2>
            {!hideTitle && (
              <button type="button" className="icon-button" aria-label="Close" onClick={onClose}>
                <X size={16} aria-hidden="true" />
              </button>
            )}
          </div>
          {children}
        </div>
      )}
    </dialog>
  );
}
