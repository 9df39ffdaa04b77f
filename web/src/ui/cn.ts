// Joins class names. Only this file knows the library that does it.
export { clsx as cn } from "clsx";
