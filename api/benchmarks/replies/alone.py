"""Reads streams with google-genai only and does nothing with them; the Gemini figure is divided by its cost.

`python -m benchmarks.replies.alone URL` prints 0; for each line with a number it reads that many streams at once to
their ends, and prints how many characters they had.
"""

import asyncio
import sys

import uvloop
from google import genai
from google.genai import types

MESSAGE = "Why does the proxy refuse my upload?"


async def read_stream(client: genai.Client) -> int:
    config = types.GenerateContentConfig(automatic_function_calling=types.AutomaticFunctionCallingConfig(disable=True))
    chunks = await client.aio.models.generate_content_stream(model="load", contents=MESSAGE, config=config)
    characters = 0
    async for chunk in chunks:
        if chunk.candidates and chunk.candidates[0].content and chunk.candidates[0].content.parts:
            characters += len(chunk.candidates[0].content.parts[0].text or "")
    return characters


async def _main(url: str) -> None:
    options = types.HttpOptions(base_url=url, api_version="v1beta", retry_options=types.HttpRetryOptions(attempts=1))
    client = genai.Client(vertexai=False, api_key="key-of-the-benchmark", http_options=options)
    print(0, flush=True)
    while line := await asyncio.to_thread(sys.stdin.readline):
        print(sum(await asyncio.gather(*(read_stream(client) for _ in range(int(line))))), flush=True)


if __name__ == "__main__":
    uvloop.run(_main(sys.argv[1]))
