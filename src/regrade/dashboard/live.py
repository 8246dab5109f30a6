"""What a run under way has done so far, as server-sent events, until it ends or nobody listens."""

from collections.abc import AsyncIterator

import anyio
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from regrade.addresses import LiveAddress
from regrade.dashboard.page import Page
from regrade.dashboard.run import drawn_at
from regrade.dashboard.runs import elapsed_of
from regrade.dashboard.site import Site
from regrade.dashboard.watching import Sight
from regrade.pages.progress import progress_fragment
from regrade.report.progress import progress_view
from regrade.store import RunEntry

__all__ = ["PAGES", "answer"]

_EVERY_S = 1.0
_SAID_EVERY_S = 10.0
_HEADERS = {"cache-control": "no-store", "x-accel-buffering": "no"}


def answer(site: Site, request: Request, address: LiveAddress) -> Response:  # noqa: ARG001 - as pages are asked
    """Return the stream of a run's progress.

    A message without a name holds the HTML of the progress, once a second; `say` what a screen reader is to
    say, every ten seconds at most; `end` comes last, when the run has ended or its process is gone.

    Raises:
        UsageError: There is no such run.
    """
    run = site.index.find(address.run)
    return StreamingResponse(_events(site, run), media_type="text/event-stream", headers=_HEADERS)


async def _events(site: Site, run: RunEntry) -> AsyncIterator[bytes]:
    said_at = -_SAID_EVERY_S
    while True:
        sight = await run_in_threadpool(site.watch.look, site.index, run, site.now())
        html, said = _told(site, sight)
        if html:
            yield _event(html)
        now = site.clock()
        if said and now - said_at >= _SAID_EVERY_S:
            said_at = now
            yield _event(said, "say")
        if sight.state != "running":
            yield _event("", "end")
            return
        await anyio.sleep(_EVERY_S)


def _told(site: Site, sight: Sight) -> tuple[str, str]:
    if sight.progress is None:
        return "", ""
    view = progress_view(sight.progress, elapsed_of(site, sight.run), goes_on=sight.state == "running")
    return progress_fragment(view, drawn_at(site)), view.said


def _event(data: str, name: str = "") -> bytes:
    lines = [f"event: {name}"] if name else []
    lines += [f"data: {line}" for line in data.splitlines() or [""] if line or not data]
    return ("\n".join(lines) + "\n\n").encode("utf-8", "backslashreplace")


PAGES = (Page(LiveAddress, answer=answer),)
