// Draws Markdown that may still stream, and closes what its last block leaves open, so that `**bo` shows as bold at once.
import remend from "remend";
import { Markdown } from "./markdown";
import { type Block, withText } from "./parse";
import { isHostile } from "./syntax/lexer";

const OPEN_ENDED = new Set(["paragraph", "list", "heading", "blockquote", "text", "table"]);

function closeBlock(block: Block): Block {
  if (!OPEN_ENDED.has(block.tokens[0]?.type ?? "") || isHostile(block.raw)) return block;
  const closed = remend(block.raw, {
    katex: false,
    inlineKatex: false,
    htmlTags: false,
    setextHeadings: false,
    linkMode: "text-only",
  });
  return closed === block.raw ? block : withText(block, closed);
}

interface Props {
  text: string;
  streaming: boolean;
}

export function StreamingMarkdown({ text, streaming }: Props) {
  return <Markdown text={text} close={streaming ? closeBlock : undefined} />;
}
