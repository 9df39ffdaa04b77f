// How Markdown is drawn, and what it must never become.
import { render } from "@testing-library/react";
import { expect, test } from "vitest";
import { StreamingMarkdown } from "./streaming";
import { safeUrl } from "./syntax/addresses";

const html = (text: string, streaming = false) => {
  const { container } = render(<StreamingMarkdown text={text} streaming={streaming} />);
  return container;
};

test("headings are demoted, lists, tables and code are drawn", () => {
  const node = html("# One\n\n## Two\n\n1. a\n2. b\n\n| x |\n|---|\n| y |\n\n```js\nlet a;\n```\n");
  expect(node.querySelector("h3")?.textContent).toBe("One");
  expect(node.querySelector("h4")?.textContent).toBe("Two");
  expect(node.querySelectorAll("ol li")).toHaveLength(2);
  expect(node.querySelector("td")?.textContent).toBe("y");
  expect(node.querySelector("pre code")?.textContent).toBe("let a;");
});

test("HTML stays text", () => {
  const evil = '<img src=x onerror=alert(1)> <script>alert(1)</script>\n\n<div style="x">y</div>';
  const node = html(evil);
  expect(node.querySelector("img, script, [style], [onerror]")).toBeNull();
  expect(node.textContent).toContain("<script>");
});

test("images become links and load nothing", () => {
  const node = html("![cat](https://evil.example/c.png) ![x](data:image/png;base64,AA)");
  expect(node.querySelector("img")).toBeNull();
  expect(node.querySelectorAll("a")).toHaveLength(1);
  expect(node.textContent).toContain("[image: cat] (evil.example)");
});

test("links name their real host unless their text does", () => {
  const node = html(
    "[bank](https://evil.example/) https://a.example/x [b.example](https://b.example) " +
      "[good.example](https://evil.example) [m](mailto:a@b.c)",
  );
  const links = [...node.querySelectorAll("a")];
  expect(links.every((a) => a.rel === "noopener noreferrer nofollow")).toBe(true);
  expect(links.every((a) => a.target === "_blank")).toBe(true);
  expect(node.textContent).toContain("bank (evil.example)");
  expect(node.textContent).toContain("good.example (evil.example)");
  expect(node.textContent).not.toContain("(a.example)");
  expect(node.textContent).not.toContain("(b.example)");
});

test.each([
  "javascript:alert(1)",
  "JaVaScRiPt:alert(1)",
  "java\nscript:alert(1)",
  "javascript&colon;alert(1)",
  "&#106;avascript:alert(1)",
  "data:text/html,x",
  "vbscript:x",
  "file:///etc/passwd",
  "//evil.example",
  "/relative",
  "https:",
  "blob:https://x",
  "\u0001javascript:alert(1)",
])("%j is no link", (href) => {
  expect(safeUrl(href)).toBeNull();
});

test("user information in a URL does not hide the host", () => {
  expect(safeUrl("https://google.com@evil.example/")?.host).toBe("evil.example");
});

test("entities are characters", () => {
  expect(html("a &amp; b &lt;c&gt; &#x41; &hellip; &unknown; `&amp;`").textContent).toBe(
    "a & b <c> A … &unknown; &amp;",
  );
});

test("marks that are still open while streaming are drawn as closed", () => {
  expect(html("some **bo", true).querySelector("strong")?.textContent).toBe("bo");
  expect(html("see [docs](https://exa", true).querySelector("a")).toBeNull();
  expect(html("```js\nlet a", true).querySelector("pre code")?.textContent).toBe("let a");
  expect(html("it costs $5 and", true).textContent).toBe("it costs $5 and");
});

test("finished blocks keep their nodes while the text grows", () => {
  const { container, rerender } = render(<StreamingMarkdown text={"First.\n\nSec"} streaming />);
  const first = container.querySelector("p");
  for (const more of ["ond.", "ond.\n\nThird", "ond.\n\nThird **x"]) {
    rerender(<StreamingMarkdown text={`First.\n\nSec${more}`} streaming />);
  }
  rerender(<StreamingMarkdown text={"First.\n\nSecond.\n\nThird **x**"} streaming={false} />);
  expect(container.querySelector("p")).toBe(first);
});

test("10,000 nested marks are shown as text within half a second", () => {
  for (const mark of [">", "*a ", "[", "(", "- a ", "> ", "1. "]) {
    const began = performance.now();
    const node = html(mark.repeat(10_000));
    expect(performance.now() - began).toBeLessThan(500);
    expect(node.textContent?.length).toBeGreaterThan(9_000);
  }
});
