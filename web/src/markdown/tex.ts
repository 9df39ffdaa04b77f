// Renders formulas with KaTeX. Loaded with the first formula on the page. Its MathML needs no fonts, no CSS and no
// style attributes, which the content security policy would refuse.
import katex from "katex";

/** Return the MathML of a formula, or null if KaTeX does not understand it. */
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
