// Draws links in text that others wrote. Only http, https and mailto survive. A foreign host is named beside the text,
// and a dialog asks before it is followed. `LinkGuard` is mounted once, in the shell.
import { type MouseEvent, type ReactNode, useEffect, useState } from "react";
import { buttonClass } from "@/ui/button";
import { Dialog } from "@/ui/dialog";
import { safeUrl } from "./syntax/addresses";

const REL = "noopener noreferrer nofollow";
let ask: ((url: URL) => void) | undefined;

function isForeign(url: URL): boolean {
  return url.protocol !== "mailto:" && url.host !== location.host;
}

/**
 * Return whether the text of a link is its address, so that naming the host adds nothing. A host in another script may
 * look like a known one, so its registered name is shown.
 */
function namesHost(label: string, url: URL): boolean {
  const text = label.trim().toLowerCase();
  if (text === url.host) return true;
  if (/(?:^|\.)xn--/.test(url.host)) return false;
  return safeUrl(/^https?:\/\//i.test(text) ? text : `https://${text}`)?.host === url.host;
}

interface SafeLinkProps {
  href: string;
  label: string;
  children: ReactNode;
}

export function SafeLink({ href, label, children }: SafeLinkProps) {
  const url = safeUrl(href);
  if (!url) return <>{children}</>;
  const foreign = isForeign(url);
  const guard = (event: MouseEvent) => {
    if (!foreign || !ask) return;
    event.preventDefault();
    ask(url);
  };
  return (
    <>
      <a href={url.href} target="_blank" rel={REL} onClick={guard} onAuxClick={guard}>
        {children}
      </a>
      {foreign && !namesHost(label, url) && (
        <span dir="ltr" className="md-host">
          {" "}
          ({url.host})
        </span>
      )}
    </>
  );
}

export function LinkGuard() {
  const [url, setUrl] = useState<URL | null>(null);
  useEffect(() => {
    ask = setUrl;
    return () => {
      ask = undefined;
    };
  }, []);
  const close = () => setUrl(null);
  return (
    <Dialog open={url !== null} onClose={close} title="Leave Tutordesk?">
      <p className="text-soft">
        This link goes to <strong className="text-text">{url?.host}</strong>:
      </p>
      <p className="mt-2 max-h-32 overflow-auto break-all rounded-md border border-line bg-code p-2 font-mono text-[12.5px]">
        {url?.href}
      </p>
      <div className="mt-4 flex justify-end gap-2">
        <button type="button" className={buttonClass()} onClick={close}>
          Stay here
        </button>
        <a
          className={buttonClass("primary")}
          href={url?.href}
          target="_blank"
          rel={REL}
          onClick={close}
        >
          Open {url?.host.slice(0, 40)}
        </a>
      </div>
    </Dialog>
  );
}
