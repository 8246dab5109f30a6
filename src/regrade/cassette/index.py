"""What a cassette holds, without what is in it: where each exchange stands, and what it is looked up by."""

from array import array
from pathlib import Path

from regrade.cassette.exchange import head_of
from regrade.errors import StoreError
from regrade.types import JsonObject

__all__ = ["Index"]

_BEGIN = b'{"v":'


class Index:
    """The heads of all lines of a file of exchanges.

    Args:
        path: The file.

    Attributes:
        offsets: Where each line begins, and where the last one ends.
        order: What exchanges are ordered by: when they were begun.
        passing: Whether each was a refusal or fault that passes.
        last: Sketches of what was asked last.
        all: Sketches of whole requests.
        model: The place in `models` of each one's.
        models: The models that were asked, in the order in which they first were.
        rows: The exchanges of a hash, counted from 0.
        torn: The number of a last line that a crash left unfinished, which is left out; 0 without.

    Raises:
        StoreError: When a line is none that this version can read.
        OSError: When the file cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.offsets = array("Q", [0])
        self.order = array("Q")
        self.passing = bytearray()
        self.last = array("Q")
        self.all = array("Q")
        self.model = array("L")
        self.models: dict[str | None, int] = {}
        self.rows: dict[int, int | list[int]] = {}
        self.torn = 0
        self._read()

    def __len__(self) -> int:
        return len(self.passing)

    def rows_of(self, content_hash: str) -> list[int]:
        """Return the exchanges of a hash, in the order of their start."""
        rows = self.rows.get(_slot(content_hash), [])
        return sorted([rows] if isinstance(rows, int) else rows, key=self.order.__getitem__)

    def _read(self) -> None:
        with self._path.open("rb") as stream:
            offset = 0
            for number, line in enumerate(stream, start=1):
                place = f"{self._path}:{number}"
                if not line.endswith(b"\n") and line[: len(_BEGIN)] == _BEGIN[: len(line)]:
                    self.torn = number
                    break  # not delivered
                offset += len(line)
                self.offsets.append(offset)
                head = head_of(line, place)
                try:
                    self._add(head)
                except (KeyError, TypeError, ValueError, OverflowError) as error:
                    raise StoreError(f"{place}: not an exchange: {error!r}") from error

    def _add(self, head: JsonObject) -> None:
        row = len(self.passing)
        slot = _slot(head["hash"])
        known = self.rows.get(slot)
        if known is None:
            self.rows[slot] = row
        elif isinstance(known, int):
            self.rows[slot] = [known, row]
        else:
            known.append(row)
        self.order.append(head["sitting"] << 40 | head["seq"])
        self.last.append(int(head["last_text"], 16))
        self.all.append(int(head["all_text"], 16))
        self.model.append(self.models.setdefault(head["model"], len(self.models)))
        self.passing.append(bool(head["passing"]))


def _slot(content_hash: str) -> int:
    return int(content_hash, 16)
