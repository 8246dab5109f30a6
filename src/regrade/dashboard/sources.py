"""Which results folders are meant: a run or its baselines stand for the folder around them."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from regrade.addresses import RunAddress
from regrade.errors import UsageError, did_you_mean

__all__ = ["Sources", "default_sources", "sources_of"]

_RUN_FILES = ("run.json", "journal.jsonl", "samples.parquet", "summary.parquet")
_MOST = 1_000
_LISTED = 3


@dataclass(frozen=True, slots=True)
class Sources:
    """What is served.

    Attributes:
        folders: Results folders, each once.
        notes: What was made of a name that is no results folder, in a sentence each.
        front: The page to open first, below the server's root.
    """

    folders: tuple[Path, ...]
    notes: tuple[str, ...] = ()
    front: str = "/"


def sources_of(named: Sequence[Path]) -> Sources:
    """Return the results folders that names mean.

    A run stands for the folder that it lies in, and is shown first; so does a folder of baselines. A folder
    without a run that holds `results` stands for that. An empty folder is one that will have runs.

    Raises:
        UsageError: There is no such folder, it is a file, or it may not be read.
    """
    folders: dict[str, Path] = {}
    notes, fronts = [], []
    for path in named:
        folder, note, front = _meant(path)
        folders.setdefault(os.path.realpath(folder), folder)
        notes += [note] if note else []
        fronts += [front] if front else []
    return Sources(tuple(folders.values()), tuple(notes), next(iter(fronts), "/"))


def default_sources(usual: Path, here: Path = Path()) -> Sources:
    """Return what is served where nothing was named.

    Args:
        usual: The results folder that is written unless told otherwise; it need not be there yet.
        here: Where to look when it is not: this folder may be a results folder itself, or a run.

    Raises:
        UsageError: It is a file, or may not be read.
    """
    if os.path.lexists(usual):
        return sources_of([usual])
    if not usual.is_absolute() and (_is_run(here) or _holds_runs(here) or _is_baselines(here)):
        found = sources_of([here])
        return (
            found
            if found.notes
            else Sources(found.folders, (f"there is no {usual} here, but runs: they are shown",))
        )
    return Sources((usual,), (f"{usual} is not there yet: runs are shown as soon as they start",))


def _meant(path: Path) -> tuple[Path, str, str]:
    """Return the results folder, what to say of it, and the page to open first."""
    _check(path)
    if _is_run(path):
        whole = Path(os.path.abspath(path))  # noqa: PTH100 - a link to a run lies where it lies
        folder = _around(path)
        return (
            folder,
            f"{path} is a run: all of {folder} are shown, this one first",
            RunAddress(whole.name).url(),
        )
    if _is_baselines(path):
        folder = _around(path)
        return folder, f"{path} holds baselines: the runs of {folder} are shown", ""
    within = path / "results"
    if not _holds_runs(path) and _holds_runs(within):
        return within, f"{path} holds no runs: those of {within} are shown", ""
    return path, "", ""


def _around(path: Path) -> Path:
    """Return the folder that a folder lies in, written as the reader wrote it where that is possible."""
    return path.parent if path.name not in {"", ".."} else Path(os.path.abspath(path)).parent  # noqa: PTH100


def _check(path: Path) -> None:
    """Look into a folder.

    Raises:
        UsageError: When there is none.
    """
    try:
        os.scandir(path).close()
    except FileNotFoundError:
        raise UsageError(f"there is no folder {path}", hint=_nearest(path)) from None
    except NotADirectoryError:
        raise _no_folder(path) from None
    except OSError as error:
        raise UsageError(
            f"{path} cannot be read: {error.strerror}",
            hint="let this user read it and all in it, or serve it as one who may",
        ) from error


def _no_folder(path: Path) -> UsageError:
    part = next(one for one in reversed([path, *path.parents]) if not one.is_dir())
    if _is_run(part.parent):
        hint = f"it belongs to a run; show it with `regrade dashboard {part.parent}`"
    else:
        hint = "name the folder that `regrade run` writes to: results, or what --results says"
    return UsageError(f"{part} is a file, no results folder", hint=hint)


def _nearest(path: Path) -> str:
    """Return what may have been meant: a folder of almost that name, else one that has runs."""
    lacking = next((one for one in reversed([path, *path.parents]) if not os.path.lexists(one)), path)
    around = lacking.parent
    folders = sorted(_folders(around))
    near = did_you_mean(lacking.name, folders)
    if near is not None:
        name = near.split('"')[1]
        return f'did you mean "{around / name}"?'
    with_runs = [str(around / name) for name in folders if _holds_runs(around / name)][:_LISTED]
    if with_runs:
        return f"runs lie in {', '.join(with_runs)}"
    return f"`regrade run --results {path}` makes it; without a name the dashboard waits for results"


def _folders(folder: Path) -> Iterator[str]:
    try:
        with os.scandir(folder) as entries:
            for _, entry in zip(range(_MOST), entries, strict=False):
                if entry.is_dir():
                    yield entry.name
    except OSError:
        return


def _is_run(folder: Path) -> bool:
    return any(os.path.isfile(folder / name) for name in _RUN_FILES)  # noqa: PTH113 - False where it may not look


def _holds_runs(folder: Path) -> bool:
    return any(_is_run(folder / name) for name in _folders(folder))


def _is_baselines(folder: Path) -> bool:
    """Return whether a folder is the one of a results folder's baselines."""
    if Path(os.path.abspath(folder)).name != "baselines":  # noqa: PTH100
        return False
    return not _holds_runs(folder) and any(folder.glob("*.parquet"))
