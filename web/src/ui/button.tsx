// Draws buttons of one shape in four weights. `buttonClass` gives links the same look.
import type { ButtonHTMLAttributes } from "react";
import { cn } from "./cn";

export type ButtonWeight = "plain" | "primary" | "quiet" | "danger";

const WEIGHTS: Record<ButtonWeight, string> = {
  plain: "border-line bg-panel text-text hover:bg-raise",
  primary: "border-transparent bg-accent text-on-accent hover:bg-accent-strong",
  quiet: "border-transparent bg-transparent text-soft hover:bg-raise hover:text-text",
  danger: "border-line bg-panel text-danger hover:bg-raise",
};

export function buttonClass(weight: ButtonWeight = "plain", extra?: string): string {
  return cn(
    "inline-flex min-h-9 items-center justify-center gap-2 whitespace-nowrap rounded-md border px-3",
    "text-[14px] font-[550] leading-5 select-none disabled:opacity-60 disabled:pointer-events-none",
    WEIGHTS[weight],
    extra,
  );
}

interface ButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  weight?: ButtonWeight;
}

export function Button({ weight = "plain", className, type = "button", ...rest }: ButtonProps) {
  return <button type={type} className={buttonClass(weight, className)} {...rest} />;
}
