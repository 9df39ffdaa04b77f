"""A text that grows, and who waits for more of it: of a run on this process, or of a reply that another one writes."""

import asyncio


class GrowingText:
    __slots__ = ("is_over", "text", "waiters")

    def __init__(self) -> None:
        self.text = ""
        self.is_over = False
        self.waiters: list[asyncio.Future[None]] = []

    def place_of(self, position: int) -> int:
        """Where a reader goes on that has `position` characters already."""
        return position

    def wake(self) -> None:
        waiters, self.waiters = self.waiters, []
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)

    async def changed(self) -> None:
        waiter = asyncio.get_running_loop().create_future()
        self.waiters.append(waiter)
        await waiter
