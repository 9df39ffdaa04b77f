// Shown for an address that is not a page.
import { Link } from "react-router";
import { usePageTitle } from "@/lib/browser/page";
import { buttonClass } from "@/ui/button";
import { Notice } from "@/ui/states";

export function NotFound() {
  usePageTitle("Page not found");
  return (
    <Notice
      heading="h1"
      title="Page not found"
      actions={
        <>
          <Link to="/tickets" className={buttonClass("primary")}>
            Tickets
          </Link>
          <Link to="/chat" className={buttonClass()}>
            Chat
          </Link>
        </>
      }
    >
      The address may be mistyped, or the page has moved.
    </Notice>
  );
}
