// Markdown that people and models really write, and what is drawn. A new situation is a line in a table.
import { render } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, test } from "vitest";
import { CASES } from "./cases.fixture";
import { Markdown } from "./markdown";
import { IncrementalParser, parse } from "./parse";
import { StreamingMarkdown } from "./streaming";

/** Return the drawn elements without their attributes, except where links lead. */
function draw(text: string): string {
  const { container } = render(<Markdown text={text} />);
  return container.innerHTML
    .replace(/<(\w+)([^>]*)>/g, (_, tag: string, attributes: string) => {
      const href = / href="([^"#]+)"/.exec(attributes)?.[1];
      return href ? `<${tag} href="${href}">` : `<${tag}>`;
    })
    .replace(/<\/?(?:div|span)>/g, "");
}

describe.each(Object.entries(CASES))("%s", (_, cases) => {
  test.each(cases)("%s", (_situation, text, drawn) => {
    expect(draw(text)).toBe(drawn);
  });

  test.each(cases)("%s, at every character while it streams", (_situation, text) => {
    const parser = new IncrementalParser();
    for (let at = 1; at <= text.length; at++) {
      const head = text.slice(0, at);
      expect(parser.update(head), head).toEqual(parse(head));
    }
  });
});

describe("notes", () => {
  const draws = (text: string, streaming: boolean) =>
    render(<StreamingMarkdown text={text} streaming={streaming} />);

  test("a reference is a number that waits until its note comes", () => {
    const { container, rerender } = draws("A[^1] B[^by]", true);
    expect(container.textContent).toBe("A1 B2");
    expect(container.querySelector("a")).toBeNull();
    rerender(<StreamingMarkdown text={"A[^1] B[^by]\n\n[^1]: Note"} streaming />);
    expect(container.querySelectorAll("sup a")).toHaveLength(1);
    rerender(<StreamingMarkdown text={"A[^1] B[^by]\n\n[^1]: Note"} streaming={false} />);
    expect(container.querySelector("p")?.textContent).toBe("A1 B[^by]");
  });

  test("two texts on a page share no id, and the links lead there and back", async () => {
    const text = "A[^1] B[^1]\n\n[^1]: Note";
    const { container } = render(
      <>
        <Markdown text={text} />
        <Markdown text={text} />
      </>,
    );
    const ids = [...container.querySelectorAll("[id]")].map(({ id }) => id);
    expect(ids).toHaveLength(6);
    expect(new Set(ids).size).toBe(6);
    const second = container.querySelectorAll(".md")[1] as HTMLElement;
    for (const link of second.querySelectorAll<HTMLAnchorElement>("a")) {
      await userEvent.setup().click(link);
      expect(second.contains(document.activeElement)).toBe(true);
      expect(document.activeElement?.id).toBe(link.hash.slice(1));
    }
  });
});
