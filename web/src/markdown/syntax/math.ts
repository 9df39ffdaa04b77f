// Formulas: \(..\), \[..\], $$..$$, and a single $ by Pandoc's rule only, so that "$5 and $10" stays money and
// "$HOME/$USER" a path. A formula that is not closed yet stays text.
import type { Tokens } from "marked";
import { UNSPACED } from "./scripts";

/** The longest formula in characters. A closing mark can change earlier blocks that far back. */
export const MAX_FORMULA_CHARS = 4_000;

export interface MathToken extends Tokens.Generic {
  type: "math";
  text: string;
  display: boolean;
}

const BLOCK = [
  /^ {0,3}\$\$(?!\$)((?:(?!\$\$)[\s\S]){1,4000}?)\$\$[ \t]*(?:\n+|$)/,
  /^ {0,3}\\\[((?:(?!\\\])[\s\S]){1,4000}?)\\\][ \t]*(?:\n+|$)/,
];
const PAREN = /^\\\(((?:(?!\\\)|\n[ \t]*\n)[\s\S]){1,1000}?)\\\)/;
const BRACKET = /^\\\[((?:(?!\\\]|\n[ \t]*\n)[\s\S]){1,4000}?)\\\]/;
const DOUBLE = /^\$\$(?!\$)((?:(?!\$\$|\n[ \t]*\n)[\s\S]){1,4000}?)\$\$(?!\$)/;
// Pandoc: no space right inside either mark, and no digit right after the second. A letter there begins a variable of a
// shell, unless it ends a word, as in "$n$th"; a slash right after the first is between two prices ("5$/10$").
const SINGLE =
  /^\$(?![\s$]|\/[^$])((?:\\[\s\S]|(?!\n[ \t]*\n)[^$\\]){1,1000}?)(?<![\s\\])\$(?![\d$])(?:(?![A-Za-z_{])|(?=(?:th|st|nd|rd|s|es|D|bit|fold)\b))/;
/** "$5 or so in US$", "$5和$十": an amount followed by a word is money, even if a mark closes it. */
const MONEY = new RegExp(
  `^\\d[\\d.,]*(?:(?:[kKmM]\\b)?[\\s,;-]+(?:[A-Za-z]{2,}|[–—-])|[${UNSPACED}])`,
  "u",
);
/** "$(pwd)/$(date)" */
const COMMAND = /^\$\([^$]{0,200}\$\(/;

function token(match: RegExpExecArray | null, display: boolean): MathToken | undefined {
  const text = match?.[1]?.trim();
  return match && text ? { type: "math", raw: match[0], text, display } : undefined;
}

export function inlineMath(src: string): MathToken | undefined {
  if (src.startsWith("\\(")) return token(PAREN.exec(src), false);
  if (src.startsWith("\\[")) return token(BRACKET.exec(src), true);
  if (src.startsWith("$$")) return token(DOUBLE.exec(src), true);
  if (!src.startsWith("$") || COMMAND.test(src)) return undefined;
  const match = SINGLE.exec(src);
  return match && !MONEY.test(match[1] ?? "") ? token(match, false) : undefined;
}

export function blockMath(src: string): MathToken | undefined {
  const open = /^ {0,3}(\$\$|\\\[)/.exec(src);
  const close = open?.[1] === "$$" ? "$$" : "\\]";
  if (!open || !src.slice(open[0].length, MAX_FORMULA_CHARS + 8).includes(close)) return undefined;
  for (const pattern of BLOCK) {
    const formula = token(pattern.exec(src), true);
    if (formula) return formula;
  }
  return undefined;
}

/** Hide formulas from the search for emphasis, so that `$a*b*c$` keeps its stars. */
export function maskFormulas(src: string): string {
  if (!/[$\\]/.test(src)) return src;
  let out = "";
  let at = 0;
  while (at < src.length) {
    const next = src.slice(at).search(/\$|\\/);
    if (next < 0) break;
    out += src.slice(at, at + next);
    at += next;
    const formula = inlineMath(src.slice(at, at + MAX_FORMULA_CHARS + 8));
    if (formula) {
      out += `[${"a".repeat(Math.max(0, formula.raw.length - 2))}]`;
      at += formula.raw.length;
    } else {
      const step = src[at] === "\\" ? 2 : 1;
      out += src.slice(at, at + step);
      at += step;
    }
  }
  return out + src.slice(at);
}
