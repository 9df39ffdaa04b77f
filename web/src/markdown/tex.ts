// KaTeX, loaded when the first formula is on the page. MathML output needs no fonts, no CSS and no
// style attributes, which the content security policy would refuse.
import katex from "katex";

/** MathML of a formula, or null when KaTeX does not understand it. */
export function renderTex(source: string, displayMode: boolean): string | null {
  try {
    return katex.renderToString(source, {
      displayMode,
      output: "mathml",
      trust: false,
      strict: "ignore",
      maxExpand: 200,
      maxSize: 20,
      throwOnError: true,
    });
  } catch {
    return null;
  }
}
