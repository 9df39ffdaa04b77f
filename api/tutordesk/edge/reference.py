"""The API reference: `/docs` and `/openapi.json`, by FastAPI. Requests from other machines get a 404.

FastAPI's page loads Swagger UI from another host. Here its files come from the package `fastapi-offline`. That
package's own routes would be open to everybody and break the content security policy.
"""

import base64
import hashlib
import importlib.util
import re
from pathlib import Path
from typing import Annotated

from fastapi import Depends, FastAPI, Request
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import FileResponse, HTMLResponse, JSONResponse, Response

from tutordesk.ground.errors import NotFound
from tutordesk.identity.access import is_on_this_machine

ASSETS = ("swagger-ui-bundle.js", "swagger-ui.css", "favicon.png")


def install_reference(app: FastAPI) -> None:
    """Add the routes of the reference and of its assets."""
    app.add_api_route("/openapi.json", _description, include_in_schema=False)
    app.add_api_route("/docs", _page, include_in_schema=False)
    app.add_api_route("/docs/{name}", _asset, include_in_schema=False)


async def _local(request: Request) -> Request:
    if not is_on_this_machine(request):
        raise NotFound
    return request


LocalRequest = Annotated[Request, Depends(_local)]


async def _description(request: LocalRequest) -> Response:
    return JSONResponse(request.app.openapi())


async def _page(request: LocalRequest) -> Response:
    script, style, icon = (f"/docs/{name}" for name in ASSETS)
    page = get_swagger_ui_html(
        openapi_url="/openapi.json",
        title=f"{request.app.title} API",
        swagger_js_url=script,
        swagger_css_url=style,
        swagger_favicon_url=icon,
    )
    return HTMLResponse(page.body, headers={"Content-Security-Policy": _policy_for(bytes(page.body).decode())})


def _policy_for(page: str) -> str:
    """Return a policy that allows the page's inline script, by its hash, and Swagger UI's style attributes."""
    scripts = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    hashes = [base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts]
    allowed = " ".join(f"'sha256-{digest}'" for digest in hashes)
    return (
        f"default-src 'none'; script-src 'self' {allowed}; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
        "connect-src 'self'; base-uri 'none'; frame-ancestors 'none'"
    )


async def _asset(name: str, request: LocalRequest) -> Response:
    package = importlib.util.find_spec("fastapi_offline")
    if name not in ASSETS or not package or not package.origin:
        raise NotFound
    return FileResponse(Path(package.origin).parent / "static" / name)
