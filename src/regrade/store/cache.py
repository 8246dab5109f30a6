"""The response cache: answers kept across runs and suites, in one SQLite file that many processes share."""

import os
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from regrade.databases import open_shared, write_ahead
from regrade.errors import StoreError
from regrade.jsonio import encode, loads
from regrade.store.journal import answer_record, outcome_of
from regrade.types import Outcome, Request

__all__ = ["CacheEntry", "ResponseCache", "cache_folder", "cache_path"]

_WAIT_S = 30.0
_TABLE = """
create table if not exists answers (
    hash text not null, epoch integer not null, ordinal integer not null,
    model text not null, record blob not null, at text not null default current_timestamp,
    primary key (hash, epoch, ordinal)
) without rowid
"""


def cache_folder(env: Mapping[str, str] = os.environ) -> Path:
    """Return the user's cache folder for regrade: REGRADE_CACHE_DIR, else where XDG_CACHE_HOME says."""
    if env.get("REGRADE_CACHE_DIR"):
        return Path(env["REGRADE_CACHE_DIR"]).expanduser()
    base = env.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(base).expanduser() / "regrade"


def cache_path(env: Mapping[str, str] = os.environ) -> Path:
    """Return the cache's file: REGRADE_CACHE_FILE, else in the user's cache folder."""
    if env.get("REGRADE_CACHE_FILE"):
        return Path(env["REGRADE_CACHE_FILE"])
    return cache_folder(env) / "responses.sqlite"


@dataclass(frozen=True, slots=True)
class CacheEntry:
    """What the cache holds of one model."""

    model: str
    answers: int
    size_bytes: int
    newest: str


class ResponseCache:
    """Answers by request hash, epoch and ordinal among identical requests of a run.

    The hash covers base URL, model, messages and all parameters, so nothing else can be answered. Only
    answers are kept, never failures. Safe with any number of processes (write-ahead log).

    Args:
        path: The file; made with its folder when there is none.

    Raises:
        StoreError: When it cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._ordinals: dict[tuple[str, int], int] = {}
        self._places: dict[tuple[str, ...], int] = {}
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._base = open_shared(path, _WAIT_S, _prepare)
        except (OSError, sqlite3.Error) as error:
            raise self._unusable(error) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._base.close()

    def recall(self, request: Request) -> Outcome | None:
        """Return the kept answer to a request, marked as cached, or None.

        Raises:
            StoreError: When the file cannot be read.
        """
        try:
            row = self._base.execute(
                "select record from answers where hash = ? and epoch = ? and ordinal = ?", self._key(request)
            ).fetchone()
        except sqlite3.Error as error:
            raise self._unusable(error) from error
        return None if row is None else outcome_of({**loads(row[0]), "cached": True}, request, replayed=False)

    def keep(self, outcome: Outcome) -> None:
        """Keep an answer that was paid for; anything else is left alone.

        Raises:
            StoreError: When the file cannot be written.
        """
        if outcome.completion is None or outcome.cached or outcome.replayed:
            return
        record = encode(answer_record(outcome))
        key = self._key(outcome.request)
        try:
            self._base.execute(
                "insert or ignore into answers (hash, epoch, ordinal, model, record) values (?, ?, ?, ?, ?)",
                (*key, outcome.request.model.name, record),
            )
        except sqlite3.Error as error:
            raise self._unusable(error) from error

    def entries(self) -> list[CacheEntry]:
        """Return what is kept, by model."""
        rows = self._base.execute(
            "select model, count(*), sum(length(record)), max(at) from answers group by model order by model"
        )
        return [CacheEntry(*row) for row in rows]

    def clear(self) -> int:
        """Forget everything; return how many answers there were."""
        count: int = self._base.execute("delete from answers").rowcount
        self._base.execute("vacuum")
        return count

    def _key(self, request: Request) -> tuple[str, int, int]:
        """Return hash, epoch, and which of the run's identical requests this one is."""
        place = (*map(str, request.key),)
        if place not in self._places:
            same = (request.hash, request.key.epoch)
            self._ordinals[same] = self._ordinals.get(same, -1) + 1
            self._places[place] = self._ordinals[same]
        return request.hash, request.key.epoch, self._places[place]

    def _unusable(self, error: Exception) -> StoreError:
        return StoreError(f"the cache {self._path} cannot be used: {error}", hint="run without --cache")


def _prepare(base: sqlite3.Connection) -> None:
    write_ahead(base, _WAIT_S)
    base.execute("pragma synchronous=normal")
    base.execute(_TABLE)
