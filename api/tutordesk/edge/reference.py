"""`/docs` and `/openapi.json`: the API described, for whoever sits at the machine itself; to others they do not exist.

One plain page made from the OpenAPI description: it needs no script, no other host and no inline style but its own,
which the policy allows by its hash.
"""

import base64
import hashlib
import json
from html import escape
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response

from tutordesk.ground.errors import NotFound
from tutordesk.identity.access import is_on_this_machine

STYLE = """
:root { color-scheme: light dark; --line: light-dark(#ccd, #445); --soft: light-dark(#456, #9ab) }
body { font: 15px/1.55 system-ui, sans-serif; max-width: 60rem; margin: 0 auto; padding: 1.5rem }
h2 { font-size: 1.05rem; margin: 0 } code, pre { font: 13px/1.5 ui-monospace, monospace }
article { border-top: 1px solid var(--line); padding: 1rem 0 } p, table { margin: .4rem 0 }
th, td { text-align: left; vertical-align: top; padding: .1rem 1rem .1rem 0; font-weight: normal }
th, summary { color: var(--soft) }
pre { overflow: auto; border: 1px solid var(--line); border-radius: 6px; padding: .6rem }
"""
STYLE_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
POLICY = f"default-src 'none'; style-src 'sha256-{STYLE_HASH}'; base-uri 'none'; frame-ancestors 'none'"


def install_reference(app: FastAPI) -> None:
    app.add_api_route("/openapi.json", _description, include_in_schema=False)
    app.add_api_route("/docs", _reference, include_in_schema=False)


def _refuse_other_machines(request: Request) -> None:
    if not is_on_this_machine(request):
        raise NotFound


async def _description(request: Request) -> Response:
    _refuse_other_machines(request)
    return JSONResponse(request.app.openapi())


async def _reference(request: Request) -> Response:
    _refuse_other_machines(request)
    return HTMLResponse(page(request.app.openapi()), headers={"Content-Security-Policy": POLICY})


def page(description: dict[str, Any]) -> str:
    """The whole page. `description`: an OpenAPI 3.1 document."""
    calls = [
        _call(method, path, operation)
        for path, methods in description["paths"].items()
        for method, operation in methods.items()
    ]
    shapes = [
        f"<details><summary>{escape(name)}</summary><pre>{escape(json.dumps(schema, indent=2))}</pre></details>"
        for name, schema in description["components"]["schemas"].items()
    ]
    title = f"{escape(description['info']['title'])} API"
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title><style>{STYLE}</style>'
        f'<h1>{title}</h1><p>The same for programs: <a href="/openapi.json">/openapi.json</a></p>'
        f"<main>{''.join(calls)}</main><h2>Shapes</h2>{''.join(shapes)}</html>"
    )


def _call(method: str, path: str, operation: dict[str, Any]) -> str:
    rows = [
        (parameter["name"], f"{parameter['in']}{', required' if parameter.get('required') else ''}")
        for parameter in operation.get("parameters", [])
    ]
    for kind, content in operation.get("requestBody", {}).get("content", {}).items():
        rows.append(("body", f"{kind}: {_name(content)}"))
    for status, answer in operation["responses"].items():
        for kind, content in (answer.get("content") or {"nothing": {}}).items():
            rows.append((status, f"{answer['description']} ({kind}{': ' + _name(content) if content else ''})"))
    cells = "".join(f"<tr><th>{escape(name)}<td>{escape(text)}" for name, text in rows)
    about = escape(operation.get("description", operation.get("summary", "")))
    return (
        f"<article><h2><code>{method.upper()} {escape(path)}</code></h2><p>{about}</p><table>{cells}</table></article>"
    )


def _name(content: dict[str, Any]) -> str:
    schema = content.get("schema", {})
    reference = schema.get("$ref") or schema.get("items", {}).get("$ref", "")
    name = reference.rsplit("/", 1)[-1]
    return f"list of {name}" if "items" in schema else name or str(schema.get("type", "text"))
