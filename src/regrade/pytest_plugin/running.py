"""The eval of a spec, once a session: also when several workers of xdist hold items of it."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from regrade.api.gating import GatedRun, GateOptions, gate
from regrade.api.opening import open_run
from regrade.api.precheck import check_gate
from regrade.api.results import Run
from regrade.api.running import run
from regrade.errors import RegradeError, RunLockedError, StoreError
from regrade.jsonio import atomic_write, content_hash, dumps, loads
from regrade.locks import locked
from regrade.plugins import Registry
from regrade.pytest_plugin.settings import Settings, near, session_folder
from regrade.types import JsonObject

if TYPE_CHECKING:
    from regrade.api.runner import LiveRun
    from regrade.verdicts import Rule

__all__ = ["EvalSession", "Outcome"]

_LOOK_EVERY_S = 0.1


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an eval came to.

    Attributes:
        run: The run.
        gated: Its verdicts; None without a gate, or when no request had an answer.
        warnings: Rules that an equal model can hardly pass.
    """

    run: Run
    gated: GatedRun | None
    warnings: Sequence[str] = ()


@dataclass(slots=True)
class EvalSession:
    """The eval of one spec in this session; its items share it.

    Attributes:
        path: The spec.
        name: The eval.
        settings: How it is run.
        registry: Plug-ins.
        rules: Of its gate.
    """

    path: Path
    name: str
    settings: Settings
    registry: Registry
    rules: "tuple[Rule, ...]"
    _outcome: Outcome | None = field(default=None, init=False)
    _error: RegradeError | None = field(default=None, init=False)

    @property
    def outcome(self) -> Outcome:
        """Return what `prepare` has found."""
        assert self._outcome is not None
        return self._outcome

    def prepare(self, models: Sequence[str] | None) -> RegradeError | None:
        """Run and judge at the first call; return why that is not possible, at every call.

        Args:
            models: Entries of the spec's `models:`, or others; None for all that it lists.
        """
        if self._outcome is None and self._error is None:
            try:
                self._outcome = self._work(models)
            except RegradeError as error:
                self._error = error
        return self._error

    def _work(self, models: Sequence[str] | None) -> Outcome:
        options = GateOptions(baseline=self.settings.baseline, results=near(self.settings.results))
        spec = near(self.path)
        warnings: list[str] = []
        if self.rules:
            warnings = check_gate(
                [spec],
                options=options,
                registry=self.registry,
                limit=self.settings.limit,
                models=models,
            )
        found, mine = self._run(spec, models)
        if found.status == "interrupted":
            raise KeyboardInterrupt
        if not self.rules or found.status != "success":
            return Outcome(found, None)
        gated = gate(found.id, options=options, registry=self.registry, record=mine)
        return Outcome(found, gated, warnings)

    def _run(self, spec: Path, models: Sequence[str] | None) -> tuple[Run, bool]:
        """Return the run, and whether it was made here."""
        results, limit = near(self.settings.results), self.settings.limit

        def buy(resume: str | None, started: "Callable[[LiveRun], None] | None") -> Run:
            return run(
                [spec],
                registry=self.registry,
                observer=started,
                models=models,
                limit=limit,
                results=results,
                resume=resume,
            )

        if self.settings.session is None:
            return buy(None, None), True
        folder = session_folder(results, self.settings.session)
        note = _Note(folder / f"{content_hash([str(spec), models, limit])}.json")
        with _waited_for(note.path.with_suffix(".lock")):
            return _once(note, buy, results)


@dataclass(frozen=True, slots=True)
class _Note:
    """What the workers of a session know of a run: that it began, how it ended."""

    path: Path

    def read(self) -> JsonObject:
        return loads(self.path.read_bytes()) if self.path.is_file() else {}

    def write(self, **content: object) -> None:
        atomic_write(self.path, lambda stream: stream.write(dumps(content).encode()))


def _once(
    note: _Note, buy: "Callable[[str | None, Callable[[LiveRun], None] | None], Run]", results: Path
) -> tuple[Run, bool]:
    """Return the run that the note tells of, else make it; what a worker that died began is completed."""
    known = note.read()
    if "error" in known:
        raise RegradeError(known["error"])
    if known.get("ended"):
        return open_run(known["run"], results=results), False
    try:
        found = buy(known.get("run"), lambda live: note.write(run=live.folder.id))
    except RegradeError as error:
        note.write(error=str(error))
        raise
    note.write(run=found.id, ended=True)
    return found, True


@contextmanager
def _waited_for(path: Path) -> Iterator[None]:
    """Hold a lock among the workers of a session, however long another one runs the eval."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"{path.parent} cannot be made: {error.strerror}") from error
    while True:
        lock = locked(path, path.stem)
        try:
            lock.__enter__()
        except RunLockedError:
            time.sleep(_LOOK_EVERY_S)
            continue
        break
    try:
        yield
    finally:
        lock.__exit__(None, None, None)
