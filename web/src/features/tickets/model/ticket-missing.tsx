// Shown instead of a ticket that does not exist or was deleted.
import { Link } from "react-router";
import { buttonClass } from "@/ui/button";
import { Notice } from "@/ui/states";

export function TicketMissing() {
  return (
    <Notice
      heading="h1"
      title="Ticket not found"
      actions={
        <Link to="/tickets" className={buttonClass("primary")}>
          All tickets
        </Link>
      }
    >
      It may have been deleted, or the address is incomplete. Look for it in the list of tickets.
    </Notice>
  );
}
