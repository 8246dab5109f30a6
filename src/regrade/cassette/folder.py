"""The files of a cassette."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from regrade import jsonio
from regrade.cassette.exchange import VERSION
from regrade.cassette.redaction import Redaction
from regrade.errors import StoreError, UsageError

__all__ = ["Setup", "exchanges_path", "keep_uncommitted", "read_setup", "write_setup"]


@dataclass(frozen=True, slots=True)
class Setup:
    """What `cassette.json` holds.

    Attributes:
        redaction: How secrets are taken out.
        sittings: How often the cassette was opened for recording.
        run: The last run that was recorded; None where it was other traffic.
    """

    redaction: Redaction
    sittings: int = 0
    run: str | None = None


def exchanges_path(folder: Path) -> Path:
    """Return the file that holds the exchanges, one a line."""
    return folder / "exchanges.jsonl"


def _setup_path(folder: Path) -> Path:
    return folder / "cassette.json"


def read_setup(folder: Path) -> Setup | None:
    """Return how a cassette was set up; None where there is none.

    Raises:
        StoreError: When it cannot be read, or was written by a newer regrade.
    """
    path = _setup_path(folder)
    try:
        found = jsonio.loads(path.read_bytes())
    except FileNotFoundError:
        return None
    except NotADirectoryError as error:
        raise StoreError(f"{folder} is a file; a cassette is a folder") from error
    except OSError as error:
        raise StoreError(f"{path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise StoreError(f"{path} cannot be read: {error}") from error
    try:
        if found["v"] != VERSION:
            raise StoreError(
                f"{path}: this cassette has version {found['v']!r}, this regrade reads version {VERSION}",
                hint="update regrade, or record it again",
            )
        redaction = Redaction(found["redaction"]["paths"], found["redaction"]["patterns"])
        return Setup(redaction, int(found["sittings"]), found.get("run"))
    except (KeyError, TypeError, ValueError, UsageError) as error:
        raise StoreError(f"{path} is no cassette's: {error}") from error


def write_setup(folder: Path, setup: Setup) -> None:
    """Write `cassette.json`.

    Raises:
        StoreError: When that cannot be done.
    """
    record = {"v": VERSION, "redaction": setup.redaction.setup, "sittings": setup.sittings, "run": setup.run}
    _written(folder, lambda: jsonio.atomic_write(_setup_path(folder), _writer(jsonio.encode(record) + b"\n")))


def keep_uncommitted(folder: Path, name: str) -> None:
    """Tell git to leave a file of the folder alone, unless somebody told it what to leave alone already.

    Raises:
        StoreError: When that cannot be written.
    """
    path = folder / ".gitignore"
    if not path.exists():
        _written(folder, lambda: path.write_text(f"{name}\n", encoding="utf-8"))


def _writer(content: bytes) -> Callable[..., object]:
    return lambda stream: stream.write(content)


def _written(folder: Path, write: Callable[[], object]) -> None:
    try:
        write()
    except OSError as error:
        raise StoreError(f"{folder} cannot be written: {error.strerror or error}") from error
