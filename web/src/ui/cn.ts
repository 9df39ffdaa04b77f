// Joins class names; the one place that knows the library for it.
export { clsx as cn } from "clsx";
