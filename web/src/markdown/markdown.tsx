// Draws Markdown. Only the blocks of a growing text that changed are drawn again. Texts that stream are drawn by
// `StreamingMarkdown`, so that pages without one do not load what closes open marks.
import { memo, useMemo, useRef } from "react";
import { collectNotes, NoteNumbersProvider, NotesSection } from "./notes";
import { type Block, IncrementalParser, isDrawn } from "./parse";
import { BlockToken } from "./tokens";

type CloseBlock = (block: Block) => Block;

interface BlockProps {
  block: Block;
  /** Given while the block grows. */
  close: CloseBlock | undefined;
}

const BlockView = memo(
  function BlockView({ block, close }: BlockProps) {
    const shown = close ? close(block) : block;
    return (
      <div className="md-block">
        {shown.tokens.map((token, index) => (
          <BlockToken key={index} token={token} drawing={{ open: close !== undefined }} />
        ))}
      </div>
    );
  },
  (before, after) =>
    before.close === after.close &&
    (before.block === after.block ||
      (before.block.raw === after.block.raw &&
        before.block.links === after.block.links &&
        before.block.tokens[0]?.type === after.block.tokens[0]?.type)),
);

/** Blocks are compared in groups of this size, so that a long answer does not cost more with each block. */
const GROUP_SIZE = 16;

interface GroupProps {
  blocks: Block[];
  /** Given while the last block grows. */
  close: CloseBlock | undefined;
}

const BlockGroup = memo(
  function BlockGroup({ blocks, close }: GroupProps) {
    return blocks.map((block, index) => (
      <BlockView
        key={`${block.start}:${block.tokens[0]?.type}`}
        block={block}
        close={index === blocks.length - 1 ? close : undefined}
      />
    ));
  },
  (before, after) =>
    before.close === after.close &&
    before.blocks.length === after.blocks.length &&
    before.blocks.every((block, index) => block === after.blocks[index]),
);

interface MarkdownProps {
  text: string;
  /** Closes what the last block leaves open. Given while the text streams. */
  close?: CloseBlock | undefined;
}

export function Markdown({ text, close }: MarkdownProps) {
  const parser = useRef<IncrementalParser | null>(null);
  parser.current ??= new IncrementalParser();
  const current = parser.current;
  const blocks = useMemo(() => current.update(text), [current, text]);
  const shown = blocks.filter(isDrawn);
  const notes = collectNotes(blocks, close !== undefined);
  const groups = Array.from({ length: Math.ceil(shown.length / GROUP_SIZE) }, (_, index) =>
    shown.slice(index * GROUP_SIZE, (index + 1) * GROUP_SIZE),
  );
  return (
    <NoteNumbersProvider notes={notes}>
      <div className="md" data-streaming={close ? true : undefined}>
        {groups.map((group, index) => (
          <BlockGroup
            key={index}
            blocks={group}
            close={index === groups.length - 1 ? close : undefined}
          />
        ))}
        {close && shown.length === 0 && <span className="md-caret" />}
        <NotesSection notes={notes} />
      </div>
    </NoteNumbersProvider>
  );
}
