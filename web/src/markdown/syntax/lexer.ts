// marked's lexer with the rules of this product: formulas, footnotes, marks beside every script, addresses that end
// with their sentence, and no HTML but `<br>`. What a text could exhaust is bounded where it happens: the depth of
// nesting, and the marks of one paragraph, heading or cell. So hostile text loses its own formatting and no other.
import { Hooks, Lexer, type Token, Tokenizer, type Tokens } from "marked";
import { addressAt, safeUrl } from "./addresses";
import { characterBefore, EMPHASIS_RULES } from "./emphasis";
import { blockMath, inlineMath, maskFormulas } from "./math";
import { note, noteReference } from "./notes";
import { UNSPACED } from "./scripts";

/** What reference links lead to, by their normalised label. */
export type Links = Record<string, { href: string; title: null }>;

const MAX_LINE_CHARS = 20_000;
const MAX_DEPTH = 20;
/** The lines that a definition of a link may take: more would change blocks that are finished. */
const MAX_DEFINITION_LINES = 3;

const { gfm } = Lexer.rules.inline;
const INLINE_RULES = {
  ...gfm,
  ...EMPHASIS_RULES,
  // `www.` begins an address after a script without spaces, too.
  text: new RegExp(gfm.text.source.replace("[^\\s*_~(]", `[^\\s*_~(${UNSPACED}]`), "u"),
};

const countMarks = (text: string): number => text.match(/[[*_~`<$]|\\[[(]/g)?.length ?? 0;

/** Return whether a paragraph, heading or cell is built to exhaust the parser. It is shown unchanged. */
export function isHostile(text: string): boolean {
  if (text.length < 400) return false;
  if (/[[({<*_~`$!\\]{400,}/.test(text)) return true;
  if (text.length > 4_000 && countMarks(text) > 3_000) return true;
  if (text.length <= 800) return false;
  return text
    .split("\n")
    .some((line) => line.length > MAX_LINE_CHARS || (line.length > 800 && countMarks(line) > 400));
}

class TextTokenizer extends Tokenizer {
  private depth = 0;

  /** Read what may hold more of its kind. Returns undefined if it is nested too deeply, so that it stays text. */
  nest<T>(read: () => T): T | undefined {
    if (this.depth >= MAX_DEPTH) return undefined;
    this.depth += 1;
    try {
      return read();
    } finally {
      this.depth -= 1;
    }
  }

  override blockquote(src: string) {
    return this.nest(() => super.blockquote(src));
  }

  override list(src: string) {
    return this.nest(() => super.list(src));
  }

  override link(src: string) {
    return this.nest(() => super.link(src));
  }

  override reflink(src: string, links: Links) {
    return this.nest(() => super.reflink(src, links));
  }

  override emStrong(src: string, maskedSrc: string, prevChar = "") {
    const before = src.startsWith("*") ? characterBefore(src, maskedSrc, prevChar) : prevChar;
    return this.nest(() => super.emStrong(src, maskedSrc, before));
  }

  override del(src: string, maskedSrc: string, prevChar = "") {
    if (!src.startsWith("~~")) return undefined;
    const before = characterBefore(src, maskedSrc, prevChar);
    return this.nest(() => super.del(src, maskedSrc, before));
  }

  override url(src: string): Tokens.Link | undefined {
    if (!/^(?:https?:\/\/|www\.)/i.test(src)) return super.url(src);
    const text = addressAt(src);
    if (text === undefined) return undefined;
    const href = /^www\./i.test(text) ? `http://${text}` : text;
    return { type: "link", raw: text, text, href, tokens: [{ type: "text", raw: text, text }] };
  }

  override html() {
    return undefined;
  }

  override tag() {
    return undefined;
  }

  /** Leave out a heading whose text would hold a formula or note of its own. */
  override lheading(src: string): Tokens.Heading | undefined {
    const token = super.lheading(src);
    const start = token ? startOfBlock(src) : undefined;
    return token && (start === undefined || start >= token.raw.length) ? token : undefined;
  }

  /** Leave definitions to `definition`: the lexer would lose the raw text of a second one for the same label. */
  override def() {
    return undefined;
  }

  /** Read where a label leads. One that leads nowhere safe is text, so that `[Note]: this` does not vanish. */
  definition(src: string, previous: Token | undefined): Tokens.Def | undefined {
    if (!/^ {0,3}\[(?!\^)/.test(src) || previous?.type === "text") return undefined;
    const lines = src.split("\n", MAX_DEFINITION_LINES).join("\n");
    const token = super.def(lines);
    return token && safeUrl(token.href) ? token : undefined;
  }
}

function lineBreak(src: string): Tokens.Br | undefined {
  const raw = /^<br[ \t]*\/?>/i.exec(src)?.[0];
  return raw ? { type: "br", raw } : undefined;
}

/** Return where a paragraph ends because a formula or a note begins on one of its lines. */
function startOfBlock(src: string): number | undefined {
  const lines = /\n(?:([ \t]*\n)| {0,3}(?:\$\$|\\\[|\[\^[^\]\s[]+\]:))/g;
  for (const match of src.matchAll(lines)) {
    if (match[1]) return undefined;
    if (match[0].endsWith(":") || blockMath(src.slice(match.index + 1))) return match.index + 1;
  }
  return undefined;
}

function startOfFormula(src: string): number | undefined {
  const at = src.indexOf("$");
  return at < 0 ? undefined : at;
}

export class TextLexer extends Lexer {
  /** Make a lexer for text that is preceded by definitions of `links`. */
  constructor(links: Links) {
    const tokenizer = new TextTokenizer();
    const readNote = (lexer: Lexer, src: string) => tokenizer.nest(() => note(lexer, src));
    super({
      gfm: true,
      tokenizer,
      hooks: Object.assign(new Hooks(), { emStrongMask: maskFormulas }),
      extensions: {
        renderers: {},
        childTokens: {},
        block: [
          blockMath,
          function (src) {
            return readNote(this.lexer, src);
          },
          function (src, tokens) {
            const token = tokenizer.definition(src, tokens.at(-1));
            if (token) this.lexer.tokens.links[token.tag] ??= { href: token.href, title: null };
            return token;
          },
        ],
        inline: [inlineMath, noteReference, lineBreak],
        startBlock: [startOfBlock],
        startInline: [startOfFormula],
      },
    });
    tokenizer.rules = { ...tokenizer.rules, inline: INLINE_RULES };
    Object.assign(this.tokens.links, links);
  }

  override inlineTokens(src: string, tokens: Token[] = []): Token[] {
    if (!isHostile(src)) return super.inlineTokens(src, tokens);
    tokens.push({ type: "text", raw: src, text: src } satisfies Tokens.Text);
    return tokens;
  }
}
