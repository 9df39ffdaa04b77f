// What a link to a ticket shows when there is none, or not any more.
import { Link } from "react-router";
import { buttonClass } from "@/ui/button";
import { Notice } from "@/ui/states";

export function TicketMissing() {
  return (
    <Notice
      heading="h1"
      title="There is no such ticket"
      actions={
        <Link to="/tickets" className={buttonClass("primary")}>
          All tickets
        </Link>
      }
    >
      It may have been deleted, or the address is not complete.
    </Notice>
  );
}
