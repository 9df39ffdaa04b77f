// Draws code blocks, with their language, a copy button and (once the fence is closed) highlighting, and formulas. Both
// show their source until their lazy library has loaded.
import { memo, useEffect, useState } from "react";
import { CopyButton } from "@/ui/copy-button";

let loadingHighlighter: Promise<typeof import("./hljs")> | undefined;
let loadingTex: Promise<typeof import("./tex")> | undefined;
const loadHighlighter = () => (loadingHighlighter ??= import("./hljs"));
const loadTex = () => (loadingTex ??= import("./tex"));

function whenIdle(work: () => void): () => void {
  if (typeof requestIdleCallback !== "function") {
    const timer = setTimeout(work, 1);
    return () => clearTimeout(timer);
  }
  const handle = requestIdleCallback(work, { timeout: 500 });
  return () => cancelIdleCallback(handle);
}

interface CodeProps {
  code: string;
  language: string;
  closed: boolean;
}

export const CodeBlock = memo(function CodeBlock({ code, language, closed }: CodeProps) {
  const [html, setHtml] = useState<{ code: string; html: string } | null>(null);
  useEffect(() => {
    if (!closed || !language) return;
    let active = true;
    const cancel = whenIdle(() => {
      loadHighlighter()
        .then(({ highlight }) => {
          const out = highlight(code, language);
          if (active && out !== null) setHtml({ code, html: out });
        })
        .catch(() => undefined); // offline before the first load: plain code is fine
    });
    return () => {
      active = false;
      cancel();
    };
  }, [code, language, closed]);

  return (
    <div className="md-code" dir="ltr">
      <div className="md-code-bar">
        <span>{language || "text"}</span>
        <CopyButton text={code} label="Copy code" />
      </div>
      <pre role="group" tabIndex={0} aria-label={language ? `Code, ${language}` : "Code"}>
        {html?.code === code ? (
          // biome-ignore lint/security/noDangerouslySetInnerHtml: the highlighter's own output, escaped
          <code dangerouslySetInnerHTML={{ __html: html.html }} />
        ) : (
          <code>{code}</code>
        )}
      </pre>
    </div>
  );
});

interface FormulaProps {
  source: string;
  raw: string;
  display: boolean;
}

export const Formula = memo(function Formula({ source, raw, display }: FormulaProps) {
  const [html, setHtml] = useState<string | null>(null);
  useEffect(() => {
    let active = true;
    loadTex()
      .then(({ renderTex }) => active && setHtml(renderTex(source, display)))
      .catch(() => undefined);
    return () => {
      active = false;
    };
  }, [source, display]);
  const className = display ? "md-math md-math-display" : "md-math";
  if (html === null)
    return (
      <code dir="ltr" className={className}>
        {raw.trim()}
      </code>
    );
  return (
    <span
      dir="ltr"
      className={className}
      tabIndex={display ? 0 : undefined}
      // biome-ignore lint/security/noDangerouslySetInnerHtml: KaTeX's own MathML, trust is off
      dangerouslySetInnerHTML={{ __html: html }}
    />
  );
});
