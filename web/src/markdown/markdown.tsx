// Draws Markdown. While `streaming`, the text may grow, and only its last block is drawn again.
import { memo, useMemo, useRef } from "react";
import { type Block, closeOpenBlock, IncrementalParser } from "./parse";
import { BlockToken } from "./tokens";

interface BlockProps {
  block: Block;
  open: boolean;
}

const BlockView = memo(
  function BlockView({ block, open }: BlockProps) {
    const shown = open ? closeOpenBlock(block) : block;
    return (
      <div className="md-block">
        {shown.tokens.map((token, index) => (
          <BlockToken key={index} token={token} drawing={{ open }} />
        ))}
      </div>
    );
  },
  (before, after) =>
    before.open === after.open &&
    (before.block === after.block ||
      (before.block.raw === after.block.raw &&
        before.block.tokens[0]?.type === after.block.tokens[0]?.type)),
);

/** Blocks are compared in groups of this size, so that a long answer does not cost more with each block. */
const GROUP_SIZE = 16;

interface GroupProps {
  blocks: Block[];
  /** Whether the last block still grows. */
  open: boolean;
}

const BlockGroup = memo(
  function BlockGroup({ blocks, open }: GroupProps) {
    return blocks.map((block, index) => (
      <BlockView
        key={`${block.start}:${block.tokens[0]?.type}`}
        block={block}
        open={open && index === blocks.length - 1}
      />
    ));
  },
  (before, after) =>
    before.open === after.open &&
    before.blocks.length === after.blocks.length &&
    before.blocks.every((block, index) => block === after.blocks[index]),
);

interface MarkdownProps {
  text: string;
  streaming?: boolean;
}

export function Markdown({ text, streaming = false }: MarkdownProps) {
  const parser = useRef<IncrementalParser | null>(null);
  parser.current ??= new IncrementalParser();
  const current = parser.current;
  const blocks = useMemo(() => current.update(text), [current, text]);
  const shown = blocks.filter((block) => block.tokens[0]?.type !== "space");
  const groups = Array.from({ length: Math.ceil(shown.length / GROUP_SIZE) }, (_, index) =>
    shown.slice(index * GROUP_SIZE, (index + 1) * GROUP_SIZE),
  );
  return (
    <div className="md" data-streaming={streaming || undefined}>
      {groups.map((group, index) => (
        <BlockGroup key={index} blocks={group} open={streaming && index === groups.length - 1} />
      ))}
      {streaming && shown.length === 0 && <span className="md-caret" />}
    </div>
  );
}
