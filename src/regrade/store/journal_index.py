"""Where in the journal the answers of earlier sittings stand; what resuming and re-scoring read."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from operator import itemgetter
from pathlib import Path

from regrade.jsonio import encode
from regrade.store.journal import VERSION, outcome_of, record_of
from regrade.types import Json, JsonObject, Key, Outcome, Request

__all__ = ["JournalIndex"]

_UNFINISHED = frozenset({"auth", "cancelled"})

# What every line of an answer looks like, as `JournalFile` writes it: a string of JSON cannot hold the marks,
# as its quotes are escaped. Lines of any other look are decoded.
_HEAD = b'{"v":%d,"eval":' % VERSION
_OF_ANSWER = b',"role":"answer"'
_HASH = b',"hash":"'
_ANSWERED = b'","ok":true,'
_ANSWERED_AT = slice(32, 32 + len(_ANSWERED))
_END = b'"}\n'
_CHUNK = 2**20

_KEY = itemgetter(*Key._fields)


@dataclass(slots=True)
class JournalIndex:
    """What earlier sittings finished; holds places in the file, not the answers.

    Reading it looks at the key of an answer and at both ends of its line; whether the rest is whole shows
    when it is recalled.

    Attributes:
        path: The journal.
        places: Hash of a key to the offset of its line, or of its lines in order: a request that was changed
            has several. That two keys share a hash costs a look at the line, no more.
        by_key: Whether answers are recalled whatever their request's content, as for scoring them again.
        torn: Numbers of the lines that could not be read, in the order in which that was found.
        answers: How many keys are those of answers, not of judges' requests.
    """

    path: Path
    places: dict[int, int | tuple[int, ...]] = field(default_factory=dict)
    by_key: bool = False
    torn: list[int] = field(default_factory=list)
    answers: int = 0

    @classmethod
    def read(cls, path: Path, *, by_key: bool = False, failures: bool = True) -> "JournalIndex":
        """Index a journal.

        Args:
            path: The journal.
            by_key: Whether answers are recalled whatever their request's content.
            failures: Whether final failures count as finished; those that only the user can have caused
                (a refused key, Ctrl-C) never do.
        """
        index = cls(path, by_key=by_key)
        try:
            stream = path.open("rb")
        except FileNotFoundError:
            return index
        with stream:
            index._read(stream, failures=failures)
        return index

    def _read(self, lines: Iterable[bytes], *, failures: bool) -> None:
        places = self.places
        offset = answers = 0
        for number, line in enumerate(lines, start=1):
            key, _, rest = line.partition(_HASH)
            if rest[_ANSWERED_AT] == _ANSWERED and key.startswith(_HEAD) and line.endswith(_END):
                slot = hash(key)
                if slot in places:
                    places[slot] = (*_all(places[slot]), offset)
                else:
                    places[slot] = offset
                    answers += key.endswith(_OF_ANSWER)
            elif not line.isspace():
                self._decode(number, offset, line, failures=failures)
            offset += len(line)
        self.answers += answers

    def _decode(self, number: int, offset: int, line: bytes, *, failures: bool) -> None:
        record = record_of(line)
        if record is None:
            self.torn.append(number)
            return
        failure = record.get("failure")
        if isinstance(failure, dict) and (not failures or failure.get("kind") in _UNFINISHED):
            return
        try:
            slot = _slot(_KEY(record))
        except TypeError:  # no key of ours
            self.torn.append(number)
            return
        if slot in self.places:
            self.places[slot] = (*_all(self.places[slot]), offset)
        else:
            self.places[slot] = offset
            self.answers += record["role"] == "answer"

    def knows(self, key: Key) -> bool:
        """Return whether something was recorded under a key, be it for this request or for what it was."""
        return _slot(key) in self.places

    def recall(self, request: Request) -> Outcome | None:
        """Return what was recorded last for a request, or None.

        A line that turns out to be damaged is as if it had never been there, and joins `torn`.
        """
        slot = _slot(request.key)
        offsets = self.places.get(slot)
        if offsets is None:
            return None
        with self.path.open("rb") as stream:
            for offset in reversed(_all(offsets)):
                stream.seek(offset)
                record = record_of(stream.readline())
                if record is None:
                    self._drop(slot, offset)
                elif self._is_for(request, record):
                    return outcome_of(record, request)
        return None

    def _drop(self, slot: int, offset: int) -> None:
        """Forget a damaged line."""
        left = tuple(place for place in _all(self.places[slot]) if place != offset)
        if left:
            self.places[slot] = left
        else:
            del self.places[slot]
        with self.path.open("rb") as stream:
            before = iter(lambda: stream.read(min(_CHUNK, offset - stream.tell())), b"")
            self.torn.append(1 + sum(part.count(b"\n") for part in before))

    def _is_for(self, request: Request, record: JsonObject) -> bool:
        if _KEY(record) != request.key:
            return False
        return record["hash"] == request.hash or (self.by_key and request.key.role == "answer")


def _slot(key: tuple[Json, ...]) -> int:
    """Return the hash of a key as it stands in its line."""
    eval_, prompt, model, sample_id, epoch, role = key
    return hash(_before_id(eval_, prompt, model) + encode(sample_id) + _after_id(epoch, role))


@lru_cache(1024)
def _before_id(eval_: Json, prompt: Json, model: Json) -> bytes:
    before = {"v": VERSION, "eval": eval_, "prompt": prompt, "model": model}
    return encode(before)[:-1] + b',"sample_id":'


@lru_cache(1024)
def _after_id(epoch: Json, role: Json) -> bytes:
    return b"," + encode({"epoch": epoch, "role": role})[1:-1]


def _all(offsets: int | tuple[int, ...]) -> tuple[int, ...]:
    return offsets if isinstance(offsets, tuple) else (offsets,)
