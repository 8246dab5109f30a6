"""What is otherwise between two runs of an eval, in words."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from regrade.report.setups import told_between, told_in_a_line

Record = dict[str, Any]


def manifest() -> Record:
    """Return what of a run's manifest tells how it was set up."""
    spec = {
        "dataset": {"loader": "jsonl", "arguments": "data.jsonl", "id": "id"},
        "prompts": {"terse": {"system": "Be brief.", "user": "{{ q }}"}, "plain": {"user": "{{ q }}"}},
        "parameters": {"temperature": 0},
        "vars": {"tone": "kind"},
        "scorers": [{"name": "numeric", "title": "numeric", "arguments": {"find": "marker"}}],
    }
    return {
        "specs": [{"name": "e", "spec": spec}],
        "models": [{"eval": "e", "name": "m", "id": "gpt-4o-mini-2024-07-18", "params": {"max_tokens": 9}}],
        "datasets": {"e": {"samples": 1319, "fingerprint": "d1"}},
        "measures": {"e": [{"scorer": "numeric", "recipe": "r1", "code": ""}]},
        "options": {},
    }


def spec(record: Record) -> Record:
    """Return the spec of a manifest."""
    found: Record = record["specs"][0]["spec"]
    return found


def rescored(record: Record, **more: Any) -> None:
    """Set the scorer up otherwise."""
    spec(record)["scorers"][0].update(more)
    record["measures"]["e"][0]["recipe"] = "r2"


CHANGES: list[tuple[Callable[[Record], Any], str]] = [
    (
        lambda new: new["models"][0].update(id="gpt-4o-mini-2025-01-31"),
        "model m gpt-4o-mini-2024-07-18 to gpt-4o-mini-2025-01-31",
    ),
    (lambda new: new["models"][0]["params"].update(temperature=0.7), "model m temperature 0 to 0.7"),
    (lambda new: spec(new)["parameters"].update(top_p=0.9), "model m top_p unset to 0.9"),
    (lambda new: spec(new)["prompts"]["terse"].update(user="{{ q }}?"), "prompt terse text changed"),
    (lambda new: spec(new)["prompts"]["plain"].update(system="Be."), "prompt plain system text added"),
    (
        lambda new: spec(new)["vars"].update(tone="cold"),
        "prompt terse variable tone kind to cold; prompt plain variable tone kind to cold",
    ),
    (
        lambda new: new["datasets"]["e"].update(samples=1400, fingerprint="d2"),
        "dataset 1,319 to 1,400 samples",
    ),
    (lambda new: new["datasets"]["e"].update(fingerprint="d2"), "dataset content changed"),
    (lambda new: spec(new)["dataset"].update(arguments="same.jsonl"), ""),
    (lambda new: rescored(new, arguments={"find": "last"}), "scorer numeric find marker to last"),
    (lambda new: rescored(new, normalize=["strip"]), 'scorer numeric normalize unset to ["strip"]'),
    (lambda new: new["measures"]["e"][0].update(code="c2"), "scorer numeric its own file changed"),
    (lambda new: spec(new).update(slices=["channel"]), ""),
]


@pytest.mark.parametrize(("change", "said"), CHANGES, ids=range(len(CHANGES)))
def test_what_is_otherwise_is_said_by_name(change: Callable[[Record], Any], said: str) -> None:
    """With old and new where both fit into a sentence, and without a hash."""
    before = manifest()
    after = copy.deepcopy(before)
    change(after)
    assert told_in_a_line(told_between(before, after, "e")) == said


def test_of_what_a_baseline_does_not_hold_nothing_is_said() -> None:
    """Its header has no specs: ids of models, sizes and hashes are told, prompts and parameters are not."""
    after = manifest()
    before = {name: copy.deepcopy(after[name]) for name in ("models", "datasets", "measures")}
    assert told_between(before, after, "e") == {}
    rescored(after, arguments={"find": "last"})
    after["models"][0]["id"] = "n"
    assert told_in_a_line(told_between(before, after, "e")) == (
        "model m gpt-4o-mini-2024-07-18 to n; scorer numeric set up otherwise"
    )


def test_many_differences_are_counted_and_long_values_left_out() -> None:
    """A sentence stays one."""
    before = manifest()
    after = copy.deepcopy(before)
    after["models"][0]["params"] = {f"p{n}": n for n in range(9)} | {"p0": "x" * 99, "max_tokens": 9}
    assert told_in_a_line(told_between(before, after, "e")) == (
        "model m p0 added, p1 unset to 1, p2 unset to 2, p3 unset to 3, 5 more"
    )
