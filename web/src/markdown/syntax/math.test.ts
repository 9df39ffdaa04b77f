// Which texts are formulas, and which stay text, such as money.
import type { Token } from "marked";
import { expect, test } from "vitest";
import { parse } from "../parse";

function formulas(tokens: Token[]): string[] {
  return tokens.flatMap((token) => {
    if (token.type === "math") return [`${token.display ? "D" : "I"}:${token.text}`];
    const children: Token[] = [...("tokens" in token ? (token.tokens ?? []) : [])];
    if ("items" in token) children.push(...token.items);
    if (token.type === "table") {
      for (const cell of [...token.header, ...token.rows.flat()]) children.push(...cell.tokens);
    }
    return formulas(children);
  });
}
const formulasOf = (text: string) => formulas(parse(text).flatMap((block) => block.tokens));

const TABLE: [string, string[]][] = [
  ["$5 and $10", []],
  ["$5 and then $10 more", []],
  ["It costs $20,000 and USD$30", []],
  ["between $1 and $2.", []],
  ["a $ alone", []],
  ["$ x $", []],
  ["$x $", []],
  ["$ x$", []],
  ["$x$", ["I:x"]],
  ["$x$5", []],
  ["$E = mc^2$", ["I:E = mc^2"]],
  ["so $a$ and $b$.", ["I:a", "I:b"]],
  ["\\$5 and $x$", ["I:x"]],
  ["price \\$x\\$", []],
  ["`$x$`", []],
  ["``a $x$ b``", []],
  ["```\n$x$\n```", []],
  ["    $x$", []],
  ["\\(x\\)", ["I:x"]],
  ["\\( x + y \\)", ["I:x + y"]],
  ["\\[x\\]", ["D:x"]],
  ["\\[\nx\n= y\n\\]", ["D:x\n= y"]],
  ["text \\[x\\] text", ["D:x"]],
  ["$$x$$", ["D:x"]],
  ["$$\nx\n$$", ["D:x"]],
  ["$$\nx\n\ny\n$$", ["D:x\n\ny"]],
  ["text $$x$$ text", ["D:x"]],
  ["\\(x", []],
  ["\\[x", []],
  ["$$x", []],
  ["$x", []],
  ["$a*b$ and *c* and $d*e$", ["I:a*b", "I:d*e"]],
  ["**bold $a_b$ and $c_d$**", ["I:a_b", "I:c_d"]],
  ["$\\text{cost \\$5}$", ["I:\\text{cost \\$5}"]],
  ["- item $x$\n- $y$", ["I:x", "I:y"]],
  ["> \\(q\\)", ["I:q"]],
  ["| a |\n|---|\n| $x$ |", ["I:x"]],
  ["# $x$", ["I:x"]],
  ["$5 or so in US$", []],
  ["$$", []],
  ["$$$$", []],
  ["\\(\\)", []],
  ["$\\alpha$, $\\beta$", ["I:\\alpha", "I:\\beta"]],
  ["$x\n\ny$", []],
  ["$x\ny$", ["I:x\ny"]],
  ["$2^{10}$ bytes", ["I:2^{10}"]],
  ["$3$ apples", ["I:3"]],
  ["$10/$12/$15", []],
  ["US$10–$20", []],
];

test.each(TABLE)("%j", (text, expected) => {
  expect(formulasOf(text)).toEqual(expected);
});

test("cut at every character, nothing throws and no character is lost", () => {
  for (const [text] of TABLE) {
    for (let at = 0; at <= text.length; at++) {
      const head = text.slice(0, at);
      const length = parse(head).reduce((sum, block) => sum + block.raw.length, 0);
      expect(length).toBe(head.length);
    }
  }
});
