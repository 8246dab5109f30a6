"""One sample whole, and counts over many: the same numbers as the rest of the product gives."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import regrade
from regrade.errors import UsageError
from regrade.stats import confusion as counted_confusion
from regrade.store import ResultsIndex, RunFolder
from regrade.store.entries import RunEntry
from regrade.store.sample_figures import agreement, confusion
from regrade.store.sample_filters import LabelCell, SampleQuery
from regrade.store.sample_queries import SampleQueries
from regrade.store.sample_story import history, story
from regrade.types import Key

Make = Callable[..., SampleQueries]


def test_a_story_holds_everything_whole(table: Make) -> None:
    """Ten million characters, messages as values, all scores, judges' requests, other models and epochs."""
    answer = "x" * 10_000_000
    calls = [{"name": "f", "arguments": "{", "id": None}]
    rows: list[dict[str, Any]] = [
        {
            "sample_id": "a",
            "text": answer,
            "messages": '[{"role":"user","content":"q"}]',
            "params": '{"seed":1}',
            "metadata": "no json",
            "tool_calls": json.dumps(calls),
            "score.s": 0.0,
        },
        {"sample_id": "a", "epoch": 2, "score.s": 1.0},
        {"sample_id": "a", "model": "other", "ok": False, "failure_kind": "timeout"},
        {"sample_id": "a", "role": "s/judge", "text": "bad", "messages": '"ask"'},
        {"sample_id": "b"},
    ]
    scores = [
        {"sample_id": "a", "scorer": "s", "metric": "s", "value": 0.0, "reason": "why"},
        {"sample_id": "a", "scorer": "s", "metric": "tone", "failure_kind": "scorer"},
        {"sample_id": "a", "epoch": 2, "scorer": "s", "metric": "s", "value": 1.0},
        {"sample_id": "b", "scorer": "s", "metric": "s", "value": 1.0},
    ]
    queries = table(rows, scores, scorers=["s"])
    key = Key("e", "p", "m", "a", 1)
    found = story(queries, key)
    assert (found.row, found.key, found.outcome) == (0, key, "failure")
    assert found.record["text"] == answer
    assert found.record["messages"] == [{"role": "user", "content": "q"}]
    assert (found.record["tool_calls"], found.record["metadata"]) == (calls, "no json")
    assert [(one["metric"], one["reason"], one["failure_kind"]) for one in found.scores] == [
        ("s", "why", None),
        ("tone", None, "scorer"),
    ]
    assert [(one["role"], one["text"], one["messages"]) for one in found.judges] == [
        ("s/judge", "bad", "ask")
    ]
    assert [(one.model, one.epoch, one.outcome) for one in found.siblings] == [
        ("m", 2, "right"),
        ("other", 1, "failure"),
    ]
    assert story(queries, 4).key.sample_id == "b"
    with pytest.raises(UsageError, match="no sample e/p/m/c/1"):
        story(queries, key._replace(sample_id="c"))
    with pytest.raises(UsageError, match="at place 3"):
        story(queries, 3)


def test_the_past_of_a_sample_is_told_run_by_run(table: Make, tmp_path: Path) -> None:
    """Newest first, as many as asked; a run without the sample, or that cannot be read, has no outcome."""
    for name, score in (("r1", 1.0), ("r2", 0.0), ("r3", None)):
        table([{"sample_id": "a", "score.s": score}], scorers=["s"], name=name)
    table([{"sample_id": "b", "score.s": 1.0}], scorers=["s"], name="r4")
    (tmp_path / "r5").mkdir()

    def entry(name: str, **changes: Any) -> RunEntry:
        known: dict[str, Any] = dict.fromkeys(RunEntry.__slots__, None)
        path = tmp_path / name
        known |= {"id": name, "path": path, "started_at": "t", "evals": ("e",), "models": ("m",)}
        return RunEntry(**known | changes)

    runs = [entry(f"r{n}") for n in (5, 4, 3, 2, 1)]
    found = history([entry("r9", evals=("x",)), *runs], Key("e", "p", "m", "a", 1))
    assert [(one.run, one.outcome) for one in found] == [
        ("r5", ""),
        ("r4", ""),
        ("r3", "unscored"),
        ("r2", "wrong"),
        ("r1", "right"),
    ]
    assert found[-1].scores == {"s": 1.0}
    assert len(history(runs, Key("e", "p", "m", "a", 1), limit=2)) == 2


def test_confusion_is_that_of_the_statistics(sorted_run: regrade.Run) -> None:
    """For each model; every cell leads to as many samples as it counts."""
    queries = SampleQueries(sorted_run.folder)
    for model in ("good", "bad", "absent"):
        query = SampleQuery(models=(model,))
        found = confusion(queries, query, "classification")
        rows = [
            one
            for one in sorted_run.scores.to_pylist()
            if one["model"] == model and one["scorer"] == one["metric"] == "classification"
        ]
        expected = np.array([one["expected"] for one in rows], dtype=object)
        labels = np.array([one["label"] for one in rows], dtype=object)
        names, counts = counted_confusion(expected, labels)
        assert found.expected == names
        assert found.found == (*names, *([None] if None in labels else []))
        assert [list(row) for row in found.counts] == [list(row[: len(found.found)]) for row in counts]
        for row, right in zip(found.counts, found.expected, strict=True):
            for count, label in zip(row, found.found, strict=True):
                cell = SampleQuery(models=(model,), labels=LabelCell("classification", right, label))
                assert queries.counts(cell).total == count
    assert confusion(queries, SampleQuery(), "exact_match").counts == ()
    queries.close()


def test_agreement_is_that_of_compare(sorted_run: regrade.Run) -> None:
    """The same share over the same number of samples as `regrade compare` says of two models."""
    queries = SampleQueries(sorted_run.folder)
    found = {
        (one.model_a, one.model_b): one for one in agreement(queries, "tickets", "classification", "bare")
    }
    assert found.keys() == {("absent", "bad"), ("absent", "good"), ("bad", "good")}
    for (a, b), one in found.items():
        arms = [f"{sorted_run.path},model={model},prompt=bare" for model in (a, b)]
        compared = regrade.compare(*arms, results=sorted_run.path.parent).comparison
        (said,) = [each for each in compared.agreements if each.scorer == "classification"]
        assert said.n == one.n
        assert said.same == pytest.approx(one.same)
    right = {(one.model_a, one.model_b): one for one in agreement(queries, "tickets", "exact_match", "bare")}
    assert right["bad", "good"].n == 39
    queries.close()


def test_stories_of_a_real_run_are_found_from_its_entry(sorted_run: regrade.Run) -> None:
    """From the index to the answer; the run's own past is itself."""
    index = ResultsIndex([sorted_run.path.parent], None)
    index.refresh()
    entry = index.find(sorted_run.id)
    queries = SampleQueries(RunFolder(entry.path))
    key = Key("tickets", "bare", "bad", "s5", 1)
    found = story(queries, key)
    assert (found.record["text"], found.outcome, found.record["target"]) == (
        "no idea at all",
        "wrong",
        "other",
    )
    assert {(one.model, one.prompt) for one in found.siblings} == {
        (model, prompt) for model in ("good", "bad", "absent") for prompt in ("bare", "polite")
    } - {("bad", "bare")}
    assert [one.outcome for one in history(index.runs(), key)] == ["wrong"]
    queries.close()
