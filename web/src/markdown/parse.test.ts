// Proves the incremental parser against the plain one, and that hostile text stays cheap.
import type { Token } from "marked";
import { describe, expect, test } from "vitest";
import { type Block, IncrementalParser, isClosedFence, parse } from "./parse";

function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

const PIECES = [
  "A paragraph with **bold**, *italics* and `code`.\n",
  "Second line of it\n",
  "\n",
  "\n\n",
  "# Heading\n",
  "Setext\n===\n",
  "Other\n---\n",
  "---\n",
  "- item\n",
  "- item\n  more\n",
  "  - nested\n",
  "1. one\n2. two\n",
  "\n  continued after a blank line\n",
  "> quote\n",
  "> - list in quote\n",
  "lazy line\n",
  "```js\nconst a = 1;\n```\n",
  "```\nopen\n\nfence\n",
  "```\n",
  "~~~py\nx\n~~~\n",
  "````md\n```\ninner\n```\n````\n",
  "    indented code\n",
  "| a | b |\n|---|---|\n| 1 | 2 |\n",
  "| 3 | 4 |\n",
  "$$\na + b\n\n= c\n$$\n",
  "$$\nopen formula\n",
  "$$ x^2 $$\n",
  "\\[\ny = mx\n\\]\n",
  "\\[ open\n",
  "Costs $5 and $10, or \\(x+1\\) and $y$.\n",
  "<div>\nhtml\n</div>\n",
  "<!-- comment\n",
  "[link](https://example.org/a) and ![image](https://example.org/b.png)\n",
  "[ref][x]\n",
  "[x]: https://example.org\n",
  "[x]: https://example.org/other 'title'\n",
  "[X]:\n",
  "https://example.org/late\n",
  '"title"\n',
  "[y]: javascript:alert(1)\n",
  "[y]: https://example.org/y\n[^1]: note\n",
  "See [x], [x][], [text *x*][y] and ![image][x].\n",
  "*[x*] and **[a][x**]\n",
  "Text[^1] and[^name], [^1] again.\n",
  "[^1]: The note\n",
  "[^1]: Another\n\n    with a paragraph[^name]\n",
  "[^name]: Named [x]\n    - list\n",
  "    indented on\n",
  "a<br>b and <br/>\n",
  "| a<br />b |\n|---|\n| **重要：**请 [x] |\n",
  "**重要：**请 100~200 https://example.org/a。然后\n",
  "`".repeat(3) +
    "\n+----------------------------------------+\n[^1]: code\n" +
    "`".repeat(3) +
    "\n",
  `${"*a ".repeat(450)}\n`,
  `${"> ".repeat(22)}deep\n`,
  `${"- ".repeat(22)}deep\n`,
  "- [ ] task\n- [x] done\n",
  "\ttab\n",
  "* * *\n",
  "text without end",
  "\r\nwindows\r\n",
  "👩‍👩‍👧 emoji é 漢字\n",
];

function document(seed: number): string {
  const next = random(seed);
  const count = 2 + Math.floor(next() * 12);
  return Array.from({ length: count }, () => PIECES[Math.floor(next() * PIECES.length)]).join("");
}

/** Compare as JSON: deep comparison of thousands of trees takes most of a minute. */
function expectWhole(blocks: Block[], text: string, name: string): void {
  expect(JSON.stringify(blocks), name).toBe(JSON.stringify(parse(text)));
}

describe("incremental parsing", () => {
  test("equals parsing the whole, for 600 random documents cut at random places", () => {
    for (let seed = 1; seed <= 600; seed++) {
      const text = document(seed);
      const next = random(seed * 7919);
      const parser = new IncrementalParser();
      let at = 0;
      while (at < text.length) {
        at = Math.min(text.length, at + 1 + Math.floor(next() * 23));
        const head = text.slice(0, at);
        expectWhole(parser.update(head), head, `seed ${seed} at ${at}`);
      }
    }
  }, 60_000);

  test("equals parsing the whole at every character, for definitions and notes that come late", () => {
    const text =
      "See [docs][d], [d] and a[^1].\n\n> [d] quoted\n\nMiddle.\n\n- item [D][]\n\nMore.\n\nLast.\n\n" +
      '[d]: https://example.com/x "T"\n[d]: https://example.com/second\n[^1]: Note with [d].\n\n    And more.\n';
    const parser = new IncrementalParser();
    for (let at = 1; at <= text.length; at++) {
      const head = text.slice(0, at);
      expectWhole(parser.update(head), head, `at ${at}`);
    }
  });

  test("blocks cover the text without a gap", () => {
    for (let seed = 1; seed <= 100; seed++) {
      const text = document(seed).replace(/\r\n?/g, "\n");
      expect(
        parse(text)
          .map((block) => block.raw)
          .join(""),
      ).toBe(text);
    }
  });

  test("keeps finished blocks identical while the text grows", () => {
    const parser = new IncrementalParser();
    const text = Array.from({ length: 30 }, (_, i) => `Paragraph **${i}**.\n\n`).join("");
    const first = parser.update(text)[0];
    for (let i = 0; i < 40; i++) expect(parser.update(text + "more ".repeat(i))[0]).toBe(first);
  });

  test("starts again when the text is replaced", () => {
    const parser = new IncrementalParser();
    parser.update("# one\n\ntwo");
    expect(parser.update("other")).toEqual(parse("other"));
  });
});

describe("hostile text", () => {
  const unit = [">", "> ", "*", "[", "(", "![", "`", "_", "~", "$", "\\(", "\\[", "- ", "1. ", "<"];
  const more = ["**a ", "[a](", "*a", "$a", "$$\n", "\\[\n", "`a\n", "[a\n", "![a](b\n", "<a\n"];
  test.each([...unit, ...more])("10,000 × %j is parsed in 100 ms", (piece) => {
    const text = piece.repeat(10_000);
    parse(text.slice(0, 100));
    const began = performance.now();
    const blocks = parse(text);
    expect(performance.now() - began).toBeLessThan(400); // a shared machine; alone it is below 100
    const raw = blocks.map((block) => block.raw).join("");
    expect(raw.trimEnd() === text.trimEnd(), "every character is drawn").toBe(true);
  });

  test("only the abusive block loses its formatting", () => {
    const long = "a".repeat(1_000_000);
    const dashes = `+${"-".repeat(40)}+`;
    for (const abuse of ["**a ".repeat(3_000), long, "[".repeat(9_000), `- a\n- ${long}`]) {
      const text = `# Title\n\n**bold**\n\n${abuse}\n\n- one\n- **two**\n\n\`\`\`\n${dashes}\n${long}\n\`\`\``;
      const types = parse(text).map((block) => block.tokens[0]?.type);
      expect(types.filter((type) => type !== "space")).toEqual([
        "heading",
        "paragraph",
        abuse.startsWith("-") ? "list" : "paragraph",
        ...(abuse.startsWith("-") ? [] : ["list"]),
        "code",
      ]);
    }
  });

  test.each([
    ["lists", Array.from({ length: 300 }, (_, i) => `${" ".repeat(i * 2)}- a`).join("\n")],
    [
      "lists with blank lines",
      Array.from({ length: 300 }, (_, i) => `${" ".repeat(i * 2)}- a`).join("\n\n"),
    ],
    ["quotes", Array.from({ length: 300 }, (_, i) => `${">".repeat(i)} a`).join("\n")],
    [
      "quotes with lazy lines",
      Array.from({ length: 60 }, (_, i) => `${">".repeat(60 - i)} a\nlazy`).join("\n"),
    ],
    ["lists in quotes", `${"> - ".repeat(300)}a`],
    ["notes in notes", `${"[^1]: ".repeat(300)}a`],
  ])("%s nest to a limit, below which they are text", (_, text) => {
    const began = performance.now();
    const blocks = parse(text);
    expect(performance.now() - began).toBeLessThan(800); // a shared machine
    let depth = 0;
    const measure = (tokens: Token[], level: number): void => {
      depth = Math.max(depth, level);
      for (const token of tokens) {
        if ("items" in token) measure(token.items, level + 1);
        else if ("tokens" in token) measure(token.tokens ?? [], level + 1);
      }
    };
    for (const block of blocks) measure(block.tokens, 0);
    expect(depth).toBeGreaterThan(15);
    expect(depth).toBeLessThan(64);
  });

  test("odd characters survive", () => {
    for (const text of ["\0", "\ud800", "a\u202eb", "x\u2028y", `e${"\u0301".repeat(10_000)}`]) {
      expect(parse(text).length).toBeGreaterThan(0);
    }
  });
});

test("a fence is closed by its closing line only", () => {
  expect(isClosedFence("```js\na")).toBe(false);
  expect(isClosedFence("```js\na\n```")).toBe(true);
  expect(isClosedFence("````\n```\n")).toBe(false);
  expect(isClosedFence("```")).toBe(false);
  expect(isClosedFence("    indented")).toBe(true);
});
