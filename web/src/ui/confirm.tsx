// Asks in a dialog before an action that cannot be undone.
import type { ReactNode } from "react";
import { Button } from "@/ui/button";
import { Dialog } from "@/ui/dialog";

interface ConfirmProps {
  open: boolean;
  title: string;
  label: string;
  children: ReactNode;
  onClose: () => void;
  onConfirm: () => void;
}

export function Confirm({ open, title, label, children, onClose, onConfirm }: ConfirmProps) {
  return (
    <Dialog open={open} onClose={onClose} title={title}>
      <p className="text-soft">{children}</p>
      <div className="mt-5 flex justify-end gap-2">
        <Button onClick={onClose}>Cancel</Button>
        <Button
          weight="danger"
          onClick={() => {
            onConfirm();
            onClose();
          }}
        >
          {label}
        </Button>
      </div>
    </Dialog>
  );
}
