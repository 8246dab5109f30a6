"""Where runs lie and how they are found."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from regrade.errors import StoreError, UsageError, did_you_mean
from regrade.locks import locked
from regrade.store.manifest import Manifest

__all__ = ["RunFolder", "create_run", "find_run", "list_runs", "unwritable"]


@dataclass(frozen=True, slots=True)
class RunFolder:
    """The folder of one run."""

    path: Path

    @property
    def id(self) -> str:
        """Return the run's id, the folder's name."""
        return self.path.name

    @property
    def manifest_path(self) -> Path:
        """Return the path of the manifest."""
        return self.path / "run.json"

    @property
    def journal_path(self) -> Path:
        """Return the path of the journal."""
        return self.path / "journal.jsonl"

    def table_path(self, name: str) -> Path:
        """Return the path of a result table: samples, scores or summary."""
        return self.path / f"{name}.parquet"

    def manifest(self) -> Manifest:
        """Read the manifest.

        Raises:
            StoreError: When there is none that this version can read.
        """
        return Manifest.read(self.manifest_path)

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Be the only process that writes to the folder.

        Raises:
            RunLockedError: Naming the process that is.
        """
        with locked(self.path / "run.lock", f"the run {self.id}"):
            yield


def create_run(results: Path, now: datetime) -> RunFolder:
    """Make the folder of a new run; ids sort by time.

    Raises:
        StoreError: When the results folder cannot be written.
    """
    # The milliseconds lead the last part, so that `latest` is right about runs of the same second too.
    stamp = f"{now:%Y%m%d-%H%M%S}-{now.microsecond // 1000:03x}"
    path = results / f"{stamp}{secrets.token_hex(2)[1:]}"
    try:
        path.mkdir(parents=True)
    except OSError as error:
        if path.is_dir():  # another run took the name
            return create_run(results, now)
        raise StoreError(
            f"cannot make the run's folder {path}: {error.strerror}", hint="choose another one with --results"
        ) from error
    return RunFolder(path)


def list_runs(results: Path) -> list[tuple[RunFolder, Manifest]]:
    """Return all runs, oldest first; folders that cannot be read are left out."""
    found = []
    for path in sorted(results.glob("*/run.json")):
        folder = RunFolder(path.parent)
        try:
            found.append((folder, folder.manifest()))
        except StoreError:
            continue
    return found


def find_run(results: Path, reference: str) -> RunFolder:
    """Return the run that a reference means: an id, a unique prefix, a path, `latest` or `previous`.

    Raises:
        UsageError: When there is none, or more than one.
    """
    as_path = Path(reference)
    if (as_path / "run.json").is_file():
        return RunFolder(as_path)
    if reference in {"latest", "previous"}:
        return _recent(results, reference)
    ids = sorted(path.parent.name for path in results.glob("*/run.json"))
    matching = [one for one in ids if one.startswith(reference)]
    if reference in ids or len(matching) == 1:
        return RunFolder(results / (reference if reference in ids else matching[0]))
    if matching:
        raise UsageError(f'"{reference}" fits {len(matching)} runs', hint=", ".join(matching[:5]))
    if (results / "baselines" / f"{reference}.parquet").is_file():
        raise UsageError(
            f'"{reference}" is a baseline, which keeps no tables',
            hint=f"`regrade baseline show {reference}` says which run it was",
        )
    hint = did_you_mean(reference, ids) or "`regrade runs` lists them"
    raise UsageError(f'no run "{reference}" in {results}', hint=hint)


def _recent(results: Path, reference: str) -> RunFolder:
    """Return the newest success, or the success before it over the same evals."""
    runs = list_runs(results)
    successes = [(folder, manifest) for folder, manifest in runs if manifest.status == "success"]
    if not successes:
        raise UsageError(f"no finished run in {results}", hint=_way_to_one(runs))
    folder, newest = successes[-1]
    if reference == "latest":
        return folder
    same = [one for one, manifest in successes[:-1] if sorted(manifest.evals) == sorted(newest.evals)]
    if not same:
        raise UsageError(f"no finished run of {', '.join(newest.evals)} before {newest.id}")
    return same[-1]


def _way_to_one(runs: list[tuple[RunFolder, Manifest]]) -> str:
    """Return how a finished run is had where there is none: the newest one is completed, if there is any."""
    if not runs:
        return "`regrade run` makes one"
    folder, manifest = runs[-1]
    return (
        f"{folder.id} is unfinished ({manifest.status}); complete it: regrade run --resume {folder.id}, "
        "or regrade run SPEC --resume auto"
    )


def unwritable(folder: RunFolder, error: OSError) -> StoreError:
    """Return what is told when a file of a run cannot be written."""
    return StoreError(
        f"{folder.path} cannot be written: {error.strerror or error}",
        hint="the journal keeps what is finished; make room and go on with --resume",
    )
