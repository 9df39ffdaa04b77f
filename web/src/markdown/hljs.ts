// Highlights code in the languages that tickets are about. Loaded with the first finished fence of a known language on
// the page. The output is escaped text in <span class="hljs-…">, nothing else.
import hljs from "highlight.js/lib/core";
import bash from "highlight.js/lib/languages/bash";
import c from "highlight.js/lib/languages/c";
import cpp from "highlight.js/lib/languages/cpp";
import css from "highlight.js/lib/languages/css";
import diff from "highlight.js/lib/languages/diff";
import go from "highlight.js/lib/languages/go";
import ini from "highlight.js/lib/languages/ini";
import java from "highlight.js/lib/languages/java";
import javascript from "highlight.js/lib/languages/javascript";
import json from "highlight.js/lib/languages/json";
import nginx from "highlight.js/lib/languages/nginx";
import python from "highlight.js/lib/languages/python";
import rust from "highlight.js/lib/languages/rust";
import sql from "highlight.js/lib/languages/sql";
import typescript from "highlight.js/lib/languages/typescript";
import xml from "highlight.js/lib/languages/xml";
import yaml from "highlight.js/lib/languages/yaml";

const languages = {
  bash,
  c,
  cpp,
  css,
  diff,
  go,
  ini,
  java,
  javascript,
  json,
  nginx,
  python,
  rust,
  sql,
  typescript,
  xml,
  yaml,
};
for (const [name, language] of Object.entries(languages)) hljs.registerLanguage(name, language);
hljs.registerAliases(["console", "shell", "zsh"], { languageName: "bash" });
hljs.registerAliases(["toml"], { languageName: "ini" });

const MAX_CODE_CHARS = 20_000;

/** Return HTML that only adds highlight spans, or null if the language is unknown or the code too long. */
export function highlight(code: string, language: string): string | null {
  if (!hljs.getLanguage(language) || code.length > MAX_CODE_CHARS) return null;
  return hljs.highlight(code, { language, ignoreIllegals: true }).value;
}
