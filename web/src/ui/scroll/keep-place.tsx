// Keeps the visible messages in place while earlier messages are added above them. It is a class because only
// getSnapshotBeforeUpdate sees the page before the update. It measures only then, since measuring costs a layout.
import { Component, type RefObject } from "react";

interface KeepPlaceProps {
  box: RefObject<HTMLElement | null>;
  chat: string;
  /** The key of the first message shown. */
  first: string | undefined;
}

export class KeepPlace extends Component<KeepPlaceProps> {
  override getSnapshotBeforeUpdate(before: KeepPlaceProps): number | null {
    const { box, chat, first } = this.props;
    if (!box.current || !before.first || before.first === first || before.chat !== chat)
      return null;
    return box.current.scrollHeight - box.current.scrollTop;
  }

  override componentDidUpdate(_: KeepPlaceProps, __: unknown, below: number | null): void {
    const box = this.props.box.current;
    if (box && below !== null) box.scrollTop = box.scrollHeight - below;
  }

  override render() {
    return null;
  }
}
