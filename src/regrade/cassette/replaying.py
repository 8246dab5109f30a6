"""Finding recorded answers; what is in memory is where they stand, not what they say."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Self

from regrade import jsonio
from regrade.cassette.exchange import Exchange, exchange_of, head_of, request_hash
from regrade.cassette.folder import exchanges_path, read_setup
from regrade.cassette.index import Index
from regrade.cassette.nearest import miss_message, nearest_of
from regrade.cassette.recording import request_of
from regrade.cassette.redaction import Redaction
from regrade.errors import CassetteMiss, StoreError
from regrade.types import Json

if TYPE_CHECKING:
    from array import array

    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Replayer"]

_CANDIDATES = 48
_OTHER_MODEL = 6
"""Bits by which a request to another model counts as further away."""
_ASKED_ELSE = 10_000
"""By this much one that asks something else in the end: more than all bits together."""


@dataclass(slots=True)
class _Places:
    """Exchanges of one request, in the order of their start, and how far they are handed out."""

    rows: list[int]
    next: int = 0
    asked: int = 0


@dataclass(slots=True)
class _Shelf:
    """All exchanges of one request, and those of each label apart."""

    every: _Places
    by_label: dict[str | None, _Places] = field(default_factory=dict)


class Replayer:
    """Gives back what a cassette holds, each exchange once. A context manager.

    Args:
        folder: The cassette.
        repeat_last: Whether a request that is asked more often than it was recorded gets the last answer
            again. That is for servers that live long: epochs that repeat an answer would seem to agree.

    Attributes:
        run: The last run that was recorded; None where it was other traffic.
        attempts: How often a request was sent until it had the answer that was handed out last, by its label;
            once where there is nothing.
        misses: How many requests were not found.
        first_miss: What was said of the first of them; "" without.

    Raises:
        StoreError: When there is no cassette that this version can read.
    """

    def __init__(self, folder: Path, *, repeat_last: bool = False) -> None:
        self.folder = Path(folder)
        setup = read_setup(self.folder)
        self._path = exchanges_path(self.folder)
        if setup is None or not self._path.is_file():
            raise StoreError(
                f"there is no cassette in {folder}",
                hint="record one with: regrade run --record DIR, or regrade gateway --record DIR",
            )
        self.redaction: Redaction = setup.redaction
        self.run = setup.run
        self.attempts: dict[str, int] = {}
        self.misses = 0
        self.first_miss = ""
        self._repeat_last = repeat_last
        self._shelves: dict[str, _Shelf] = {}
        self._descriptor = -1
        try:
            self._index = Index(self._path)
            self._descriptor = os.open(self._path, os.O_RDONLY)
        except OSError as error:
            raise StoreError(f"{self._path} cannot be read: {error.strerror}") from error
        self._used = bytearray(len(self))

    def __len__(self) -> int:
        return len(self._index)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    @property
    def torn(self) -> str:
        """Return what there is to say of a last line that a crash left unfinished; "" without one."""
        line = self._index.torn
        return (
            f"the last line of {self._path} (line {line:,}) is torn, as a crash leaves it, and was left out"
            if line
            else ""
        )

    def models(self) -> list[str]:
        """Return the ids of the models that were asked, in the order in which they first were."""
        return [model for model in self._index.models if model is not None]

    def find(self, method: str, path: str, body: bytes | Json = None, label: str | None = None) -> Exchange:
        """Return the next recorded exchange of a request.

        Exchanges of the same label come first; where the request has none of it, all are handed out in the
        order in which they were recorded. One that was refused for now is passed over when a better answer
        came after it. A listing (GET) is given as often as it is asked.

        Raises:
            CassetteMiss: When it was never recorded, or not as often; says what is nearest.
            StoreError: When the file is damaged.
        """
        request = self.redaction.value(request_of(body))
        # Before fields that say nothing were left out of it, the hash was that of the whole request.
        whole = jsonio.content_hash([method, path, request])
        shelf = self._shelf(request_hash(method, path, request)) or self._shelf(whole)
        if shelf is None:
            raise self._missed(self._nearest(method, path, request))
        places = self._of_label(shelf, None if label is None else self.redaction.text(label))
        before = places.next
        row = self._next(places, repeat=self._repeat_last or method == "GET")
        if label is not None and places.next > before + 1:
            self.attempts[label] = places.next - before
        if row is None:
            good = sum(not self._index.passing[one] for one in places.rows)
            raise self._missed(
                f"this request was recorded {_times(good)} and is asked for the {_ordinal(places.asked)} time"
            )
        return self.exchange(row)

    def exchanges(self) -> Iterator[Exchange]:
        """Yield all exchanges as they stand in the file, one at a time."""
        return map(self.exchange, range(len(self)))

    def exchange(self, row: int) -> Exchange:
        """Return the exchange of a line, counting from 0.

        Raises:
            StoreError: When the line is damaged.
        """
        begin, end = self._index.offsets[row], self._index.offsets[row + 1]
        return exchange_of(os.pread(self._descriptor, end - begin, begin), f"{self._path}:{row + 1}")

    def _shelf(self, content_hash: str) -> _Shelf | None:
        shelf = self._shelves.get(content_hash)
        rows = self._index.rows_of(content_hash) if shelf is None else []
        if not rows:
            return shelf
        shelf = self._shelves[content_hash] = _Shelf(_Places(rows))
        for row in rows:
            shelf.by_label.setdefault(self._label(row), _Places([])).rows.append(row)
        return shelf

    def _label(self, row: int) -> str | None:
        begin, end = self._index.offsets[row], self._index.offsets[row + 1]
        line = os.pread(self._descriptor, end - begin, begin)
        label: str | None = head_of(line, f"{self._path}:{row + 1}")["label"]
        return label

    def _of_label(self, shelf: _Shelf, label: str | None) -> _Places:
        return shelf.every if label is None else shelf.by_label.get(label, shelf.every)

    def _next(self, places: _Places, *, repeat: bool) -> int | None:
        """Return the row to hand out next, and mark it and what it passes over as used."""
        places.asked += 1
        rows = places.rows
        while places.next < len(rows):
            row = rows[places.next]
            places.next += 1
            if not self._used[row]:
                self._used[row] = True
                if not self._index.passing[row]:
                    return row
        # Nothing better is left. A refusal that lasted to the end lasts on.
        return rows[-1] if repeat or self._index.passing[rows[-1]] else None

    def _missed(self, message: str) -> CassetteMiss:
        self.misses += 1
        self.first_miss = self.first_miss or message
        return CassetteMiss(message)

    def _nearest(self, method: str, path: str, request: Json) -> str:
        near = [self.exchange(row) for row in self._candidates(request)]
        found = nearest_of(request, [one for one in near if (one.method, one.path) == (method, path)])
        said = miss_message(request, found, len(self), f"{method} {path}")
        return f"{said}. {self.torn[:1].upper()}{self.torn[1:]}" if self.torn else said

    def _candidates(self, request: Json) -> Sequence[int]:
        """Return the rows whose sketches are nearest to that of a request."""
        import numpy as np

        from regrade.cassette.sketches import sketches_of

        def distance(known: "array[int]", sketch: str) -> "NDArray[np.int64]":
            bits = np.frombuffer(known, np.uint64) ^ np.uint64(int(sketch, 16))
            counted: NDArray[np.int64] = np.bitwise_count(bits).astype(np.int64)
            return counted

        if not len(self):
            return []
        last, whole = sketches_of(request)
        model = request.get("model") if isinstance(request, dict) else None
        index = self._index
        other = np.frombuffer(index.model, np.dtype("L")) != index.models.get(model, -1)
        apart = distance(index.last, last)
        far = 4 * apart + distance(index.all, whole) + 4 * _OTHER_MODEL * other + _ASKED_ELSE * (apart > 0)
        nearest: list[int] = np.argsort(far, kind="stable")[:_CANDIDATES].tolist()
        return nearest


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _ordinal(number: int) -> str:
    ending = "th" if number % 100 in {11, 12, 13} else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"
