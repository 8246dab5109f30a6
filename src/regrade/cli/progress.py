"""The live display of a run: a table on a terminal, a line now and then elsewhere; and what Ctrl-C does."""

import asyncio
import signal
import time
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Self

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.live import Live
from rich.table import Table

from regrade.api import LiveRun
from regrade.cli.terminal import safe_text
from regrade.execute import Progress
from regrade.report.pace import time_left

__all__ = ["RunDisplay"]

_REFRESH_PER_S = 4
_LINE_EVERY_S = 10.0
_SLOW_S = 30.0
_SLOW_SHOWN = 3
_HEADS = ("model", "done", "failed", "retried", "per s", "tokens", "cost", "left")


class RunDisplay:
    """Shows a run under way and hands it the user's interrupts.

    Args:
        console: Where.
        clock: Monotonic seconds.
    """

    def __init__(self, console: Console, clock: Callable[[], float] = time.monotonic) -> None:
        self._console = console
        self._clock = clock
        self._live: Live | None = None
        self._lines: asyncio.Task[None] | None = None
        self._started = 0.0
        self._interrupts = 0
        self._run: LiveRun | None = None
        self._warned: set[str] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()
        self._warn()

    def watch(self, run: LiveRun) -> None:
        """Begin to show a run; called inside its event loop."""
        self._started = self._clock()
        self._run = run
        self._warn()
        for name, modes in run.choice_modes.items():
            told = ", ".join(f"{model}: {mode}" for model, mode in modes.items())
            self._console.print(f"{name}: {told}", soft_wrap=True, markup=False)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            try:
                loop.add_signal_handler(number, self._interrupt, run)
            except (NotImplementedError, RuntimeError):  # pragma: no cover - Windows, or not the main thread
                break
        if self._console.is_terminal:
            self._live = Live(
                get_renderable=lambda: self._table(run),
                console=self._console,
                refresh_per_second=_REFRESH_PER_S,
                transient=True,
            )
            self._live.start()
        else:
            self._lines = loop.create_task(self._print_lines(run))

    def _warn(self) -> None:
        """Print the warnings that are new."""
        told = self._run.warnings if self._run is not None else []
        warnings = [one for one in told if one not in self._warned]
        self._warned.update(warnings)
        for warning in warnings:
            self._console.print(f"warning: {warning}", soft_wrap=True, markup=False)

    def _interrupt(self, run: LiveRun) -> None:
        self._interrupts += 1
        if self._interrupts == 1:
            self._console.print("finishing what is in flight; Ctrl-C again stops at once")
            run.interrupt()
        else:
            run.cancel()

    async def _print_lines(self, run: LiveRun) -> None:
        while True:
            await asyncio.sleep(_LINE_EVERY_S)
            self._console.print(self._line(run), soft_wrap=True, markup=False)
            if slow := _slow(run):
                self._console.print(slow, soft_wrap=True, markup=False)

    def _line(self, run: LiveRun) -> str:
        cells = self._cells("total", run, list(run.totals))
        named = zip(_HEADS[1:], cells[1:], strict=True)
        return ", ".join(f"{head} {cell}" for head, cell in named if cell not in {"", "0"})

    def _table(self, run: LiveRun) -> Table:
        table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False)
        for head in _HEADS:
            text = head == "model"
            table.add_column(head, justify="left" if text else "right", overflow="fold", no_wrap=not text)
        for name in run.totals:
            table.add_row(*map(safe_text, self._cells(name, run, [name])))
        if len(run.totals) > 1:
            table.add_section()
            table.add_row(*map(safe_text, self._cells("total", run, list(run.totals))))
        if slow := _slow(run):
            table.caption = safe_text(slow)
        return table

    def _cells(self, title: str, run: LiveRun, names: Iterable[str]) -> list[str]:
        counts = [run.progress[name] for name in names if name in run.progress]
        total = sum(run.totals.get(name, 0) for name in names)
        done = sum(one.done for one in counts)
        elapsed_s = max(self._clock() - self._started, 1e-9)
        rate = sum(one.answered for one in counts) / elapsed_s
        left = _left_s(run, names, elapsed_s)
        cost = sum(run.costs.by_model.get(name, 0.0) for name in names)
        return [
            title,
            f"{done:,}/{total:,}",
            f"{sum(one.failed for one in counts):,}",
            f"{sum(one.retried for one in counts):,}",
            f"{rate:.1f}",
            _short(sum(one.prompt_tokens + one.completion_tokens for one in counts)),
            f"${cost:.4f}" if cost else "",
            _duration(left) if left is not None else "",
        ]


def _left_s(run: LiveRun, names: Iterable[str], elapsed_s: float) -> float | None:
    """Return how long these models will take; a failed request is ended too, though it is no answer."""
    found = {name: run.progress.get(name, Progress()) for name in names}
    return time_left(
        (run.totals.get(name, 0) - one.done, (one.done - one.replayed) / elapsed_s)
        for name, one in found.items()
    )


def _slow(run: LiveRun) -> str:
    """Return what has been waiting for long, the longest first; empty when nothing has."""
    waiting = run.executor.under_way(_SLOW_S)
    if not waiting:
        return ""
    shown = [
        f"{one.key.eval}/{one.key.model}/{one.key.sample_id} {_duration(seconds)} (attempt {attempts})"
        for one, seconds, attempts in waiting[:_SLOW_SHOWN]
    ]
    more = f" and {len(waiting) - len(shown)} more" if len(waiting) > len(shown) else ""
    return f"still waiting for {', '.join(shown)}{more}"


def _short(number: int) -> str:
    for limit, unit in ((10_000_000, "M"), (10_000, "k")):
        if number >= limit:
            return f"{number * 10 / limit:,.0f}{unit}"
    return f"{number:,}"


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes:02} m"
    return f"{minutes} m {rest:02} s" if minutes else f"{rest} s"
