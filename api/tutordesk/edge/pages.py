"""Serves the bundled client: one page for every URL when the request accepts HTML.

A GET that accepts `text/html` is a browser's navigation and gets the page. All other requests go to the API, and so
do downloads, which browsers request like pages. Files of the build have hashed names, so caches store them for ever.
They never store the page itself.
"""

import mimetypes
from pathlib import Path

from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import FileResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

DIST = Path(__file__).parent.parent / "web"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "font-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
NOT_BUILT = "The client is not built. Run `make run`, or `npm run build` in web/."
API_ONLY = ("/health/", "/openapi.json", "/docs", "/metrics")
DOWNLOAD = "/export"


class BundledClient:
    """ASGI middleware in front of the API."""

    def __init__(self, app: ASGIApp, dist: Path = DIST) -> None:
        self.app = app
        self._dist = dist
        self._files = GZipMiddleware(self._serve_file, minimum_size=1000)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] not in ("GET", "HEAD"):
            await self.app(scope, receive, send)
        elif self._file(scope["path"]):
            await self._files(scope, receive, send)
        elif _accepts_html(scope) and not scope["path"].startswith(API_ONLY) and not scope["path"].endswith(DOWNLOAD):
            await self._page(scope)(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    def _file(self, path: str) -> Path | None:
        """Return the file of the build for a URL's path, or None. Never returns a file outside the build."""
        parts = path.removeprefix("/").split("/")
        if not path.startswith("/") or "\0" in path or any(part in ("", ".", "..") for part in parts):
            return None
        if (parts[0] != "assets" and len(parts) > 1) or parts[-1] == "index.html" or parts[-1].startswith("."):
            return None
        file = self._dist.joinpath(*parts)
        return file if len(path) < 200 and file.suffix and file.is_file() else None

    async def _serve_file(self, scope: Scope, receive: Receive, send: Send) -> None:
        file = self._file(scope["path"])
        assert file, "__call__ serves files only for paths that have one"
        is_hashed = scope["path"].startswith("/assets/")
        headers = {"Cache-Control": "public, max-age=31536000, immutable" if is_hashed else "no-cache"}
        media_type = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
        await FileResponse(file, headers=headers, media_type=media_type)(scope, receive, send)

    def _page(self, scope: Scope) -> Response:
        page = self._dist / "index.html"
        if not page.exists():
            return Response(NOT_BUILT, 503, media_type="text/plain", headers={"Cache-Control": "no-store"})
        headers = {"Content-Security-Policy": POLICY, "Cache-Control": "no-store"}
        return Response(page.read_bytes(), media_type="text/html", headers=headers)


def _accepts_html(scope: Scope) -> bool:
    return any(name == b"accept" and b"text/html" in value for name, value in scope["headers"])
