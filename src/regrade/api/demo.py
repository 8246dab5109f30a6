"""The embedded gateway beside whatever asks its demo models."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

__all__ = ["demo_gateway"]


@asynccontextmanager
async def demo_gateway() -> AsyncIterator[str]:
    """Run the embedded gateway; give its base URL."""
    from regrade.gateway import process

    gateway = process.demo_gateway()
    await asyncio.to_thread(gateway.start)
    try:
        yield gateway.base_url
    finally:
        await asyncio.to_thread(gateway.stop)
