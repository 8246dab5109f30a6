"""A comparison as plain records in parts, so that a page with some flips reads those alone."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from regrade.comparisons import Agreement, ArmName, Change, Comparison, Flips, Lead, Several
from regrade.types import JsonObject

__all__ = ["KINDS", "STRETCH", "comparison_of", "parts_of", "several_of"]

KINDS = {
    "lost": "broken",
    "gained": "mended",
    "failed": "failed",
    "answered": "answered",
    "flaky": "wavering",
}
"""Kinds of flips, as pages call them, and where a comparison has them."""

STRETCH = 500
"""Flips that are kept together."""


def parts_of(found: Comparison) -> Iterator[JsonObject]:
    """Yield stretches of flips, then all else, whose record is the only one that is `done`."""
    for group, flips in enumerate(found.flips):
        yield from _stretches(group, flips)
    yield {
        "comparison": {
            **_shallow(found),
            "changes": [asdict(one) for one in found.changes],
            "leads": [asdict(one) for one in found.leads],
            "agreements": [asdict(one) for one in found.agreements],
            "flips": [_unlisted(one) for one in found.flips],
        },
        "done": True,
    }


def _stretches(group: int, flips: Flips) -> Iterator[JsonObject]:
    for kind, name in KINDS.items():
        listed = getattr(flips, name)
        for stretch, first in enumerate(range(0, len(listed), STRETCH)):
            rows = [[one.sample, one.before, one.after] for one in listed[first : first + STRETCH]]
            yield {"flips": rows, "group": group, "kind": kind, "stretch": stretch}


def _unlisted(flips: Flips) -> JsonObject:
    lists: JsonObject = dict.fromkeys(KINDS.values(), ())
    return {**_shallow(flips), **lists, "a": asdict(flips.a), "b": asdict(flips.b)}


def _shallow(record: Any) -> JsonObject:
    return {name: getattr(record, name) for name in record.__dataclass_fields__}


def comparison_of(record: JsonObject) -> Comparison:
    """Return the comparison of a record, its lists of flips empty.

    Raises:
        KeyError, TypeError: When it is none.
    """
    parts: JsonObject = {
        "changes": tuple(Change(**one) for one in record["changes"]),
        "leads": tuple(Lead(Change(**one["change"]), one["q"]) for one in record["leads"]),
        "agreements": tuple(Agreement(**one) for one in record["agreements"]),
        "flips": tuple(_flips(one) for one in record["flips"]),
        "notes": tuple(record["notes"]),
    }
    return Comparison(**{**record, **parts})


def several_of(record: JsonObject) -> Several:
    """Return the comparison of several runs of a record.

    Raises:
        KeyError, TypeError: When it is none.
    """
    parts: JsonObject = {
        "sides": tuple(record["sides"]),
        "changes": tuple(Change(**one) for one in record["changes"]),
        "agreements": tuple(Agreement(**one) for one in record["agreements"]),
        "notes": tuple(record["notes"]),
    }
    return Several(**{**record, **parts})


def _flips(record: JsonObject) -> Flips:
    lists: JsonObject = dict.fromkeys(KINDS.values(), ())
    return Flips(**{**record, **lists, "a": ArmName(**record["a"]), "b": ArmName(**record["b"])})
