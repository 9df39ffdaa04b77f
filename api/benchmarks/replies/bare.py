"""A bare relay of Starlette and httpx that saves nothing; the OpenAI figure is divided by its cost.

`python -m benchmarks.replies.bare URL` prints its port. uvicorn runs it as Tutordesk is run, on uvloop and httptools.
"""

import json
import socket
import sys
from collections.abc import AsyncIterator

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import StreamingResponse
from starlette.routing import Route


def make_app(url: str) -> Starlette:
    no_limit = httpx.Limits(max_connections=None, max_keepalive_connections=None)
    client = httpx.AsyncClient(timeout=None, limits=no_limit, trust_env=False)

    async def relay(message: str) -> AsyncIterator[str]:
        body = {"model": "load", "stream": True, "messages": [{"role": "user", "content": message}]}
        async with client.stream("POST", f"{url}/chat/completions", json=body) as response:
            async for line in response.aiter_lines():
                if line.startswith("data: {"):
                    delta = json.loads(line[6:])["choices"][0]["delta"].get("content")
                    if delta:
                        yield f"event: message_delta\ndata: {json.dumps({'delta': delta})}\n\n"
        yield "event: done\ndata: {}\n\n"

    async def chat(request: Request) -> StreamingResponse:
        body = await request.json()
        return StreamingResponse(relay(body["message"]), media_type="text/event-stream")

    return Starlette(routes=[Route("/chat/global/stream", chat, methods=["POST"])])


if __name__ == "__main__":
    listener = socket.create_server(("127.0.0.1", 0))
    print(listener.getsockname()[1], flush=True)
    config = uvicorn.Config(make_app(sys.argv[1]), loop="uvloop", http="httptools", log_level="error", access_log=False)
    uvicorn.Server(config).run(sockets=[listener])
