"""What the terminal shows of a run under way."""

import asyncio
import io
from types import SimpleNamespace
from typing import Any, cast

from rich.console import Console

from regrade.api import LiveRun
from regrade.cli.progress import RunDisplay
from regrade.execute import Progress


def shown(run: Any, seconds: float) -> dict[str, list[str]]:
    """Return the rows of the table as they are so long after the beginning, by their first cell."""
    out, now = io.StringIO(), [0.0]

    async def look() -> None:
        with RunDisplay(Console(file=out, force_terminal=True, width=100), lambda: now[0]) as display:
            display.watch(cast("LiveRun", run))
            out.truncate(0)
            now[0] = seconds

    asyncio.run(look())
    rows = [line.split() for line in out.getvalue().splitlines()]
    return {row[0]: row[1:] for row in rows if row}


def test_the_slowest_model_tells_the_time_left_on_a_terminal_too() -> None:
    """A model whose requests fail at once adds nothing to the rate, and leaves the end where it is."""
    counts = {"slow": Progress(done=10, answered=10), "dead": Progress(done=40, failed=40)}
    run = SimpleNamespace(
        progress=counts,
        totals={"slow": 40, "dead": 40},
        costs=SimpleNamespace(by_model={}),
        executor=SimpleNamespace(under_way=lambda _: []),
        choice_modes={},
        warnings=[],
    )
    found = shown(run, 10.0)
    assert found["slow"] == ["10/40", "0", "0", "1.0", "0", "30", "s"]
    assert found["dead"] == ["40/40", "40", "0", "0.0", "0"]
    assert found["total"] == ["50/80", "40", "0", "1.0", "0", "30", "s"]
