// The tokens that are drawn. marked's `Token` includes `Tokens.Generic`, which stands for any extension's tokens and
// where every field is `any`; this union names the extensions instead.
import type { MarkedToken, Token, Tokens } from "marked";
import type { MathToken } from "./math";

/** A text that is shown unchanged. */
export interface PlainToken extends Tokens.Generic {
  type: "plain";
}

export type MarkdownToken = MarkedToken | MathToken | PlainToken;

const TYPES: Record<MarkdownToken["type"], true> = {
  blockquote: true,
  br: true,
  checkbox: true,
  code: true,
  codespan: true,
  def: true,
  del: true,
  em: true,
  escape: true,
  heading: true,
  hr: true,
  html: true,
  image: true,
  link: true,
  list: true,
  list_item: true,
  math: true,
  paragraph: true,
  plain: true,
  space: true,
  strong: true,
  table: true,
  text: true,
};

export const isMarkdownToken = (token: Token): token is MarkdownToken =>
  Object.hasOwn(TYPES, token.type);
