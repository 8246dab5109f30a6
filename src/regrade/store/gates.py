"""`gates.jsonl`: every gate that a run was put through."""

from collections.abc import Iterator

from regrade.errors import StoreError
from regrade.jsonio import encode, loads, read_lines
from regrade.store.folders import RunFolder
from regrade.types import JsonObject

__all__ = ["append_gate", "read_gates"]


def append_gate(folder: RunFolder, record: JsonObject) -> None:
    """Add one gate to the run's record of them.

    Raises:
        StoreError: When it cannot be written.
    """
    path = folder.path / "gates.jsonl"
    try:
        with path.open("ab") as stream:
            stream.write(encode(record) + b"\n")
    except OSError as error:
        raise StoreError(f"{path} cannot be written: {error.strerror}") from error


def read_gates(folder: RunFolder) -> Iterator[JsonObject]:
    """Yield the gates of a run, oldest first; a line that a crash cut off is left out."""
    path = folder.path / "gates.jsonl"
    if not path.is_file():
        return
    for _, line in read_lines(path):
        try:
            record = loads(line)
        except ValueError:
            continue
        if isinstance(record, dict):
            yield record
