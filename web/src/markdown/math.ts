// The syntax of formulas as extensions of marked's lexer: \(..\), \[..\], $$..$$, and a single $ only
// by Pandoc's rule, so that "$5 and $10" stays money. A formula that is not closed yet stays text.
import type { MarkedExtension, TokenizerAndRendererExtension, Tokens } from "marked";

/** Longest formula in characters; also how far back a closing mark can change earlier blocks. */
export const MAX_FORMULA = 4_000;

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
// Pandoc: something that is no space right inside both marks, and no digit right after the second.
const SINGLE = /^\$(?![\s$])((?:\\[\s\S]|(?!\n[ \t]*\n)[^$\\]){1,1000}?)(?<![\s\\])\$(?![\d$])/;
/** "$5 or so in US$": an amount and then a word is money, whatever closes it. */
const MONEY = /^\d[\d.,]*(?:[kKmM]\b)?[\s,;-]+(?:[A-Za-z]{2,}|[–—-])/;

function token(match: RegExpExecArray | null, display: boolean): MathToken | undefined {
  const text = match?.[1]?.trim();
  return match && text ? { type: "math", raw: match[0], text, display } : undefined;
}

function inlineMath(src: string): MathToken | undefined {
  if (src.startsWith("\\(")) return token(PAREN.exec(src), false);
  if (src.startsWith("\\[")) return token(BRACKET.exec(src), true);
  if (src.startsWith("$$")) return token(DOUBLE.exec(src), true);
  if (!src.startsWith("$")) return undefined;
  const match = SINGLE.exec(src);
  return match && !MONEY.test(match[1] ?? "") ? token(match, false) : undefined;
}

const block: TokenizerAndRendererExtension = {
  name: "math",
  level: "block",
  start(src) {
    const found = /(?:^|\n) {0,3}(?:\$\$|\\\[)/.exec(src);
    return found ? found.index + (found[0].startsWith("\n") ? 1 : 0) : undefined;
  },
  tokenizer(src) {
    if (!/^ {0,3}(?:\$\$|\\\[)/.test(src)) return undefined;
    for (const pattern of BLOCK) {
      const found = token(pattern.exec(src), true);
      if (found) return found;
    }
    return undefined;
  },
};

const inline: TokenizerAndRendererExtension = {
  name: "math",
  level: "inline",
  start(src) {
    const at = src.search(/\$|\\[([]/);
    return at < 0 ? undefined : at;
  },
  tokenizer: (src) => inlineMath(src),
};

/** Hides formulas from the search for emphasis, so that `$a*b*c$` keeps its stars. */
function maskFormulas(src: string): string {
  if (!/[$\\]/.test(src)) return src;
  let out = "";
  let at = 0;
  while (at < src.length) {
    const next = src.slice(at).search(/\$|\\/);
    if (next < 0) break;
    out += src.slice(at, at + next);
    at += next;
    const found = inlineMath(src.slice(at, at + MAX_FORMULA + 8));
    if (found) {
      out += `[${"a".repeat(Math.max(0, found.raw.length - 2))}]`;
      at += found.raw.length;
    } else {
      const step = src[at] === "\\" ? 2 : 1;
      out += src.slice(at, at + step);
      at += step;
    }
  }
  return out + src.slice(at);
}

export const mathExtension: MarkedExtension = {
  extensions: [block, inline],
  hooks: { emStrongMask: maskFormulas },
};
