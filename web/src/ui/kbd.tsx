// Shows a key hint on devices with a fine pointer, which probably have a keyboard.
import { cn } from "./cn";

interface KbdProps {
  children: string;
  bare?: boolean;
  className?: string;
}

export function Kbd({ children, bare = false, className }: KbdProps) {
  return <kbd className={cn("kbd", bare && "kbd-bare", className)}>{children}</kbd>;
}
