"""What a run under way has scored so far comes to the figures of its summary, and goes when that is there."""

import json
from pathlib import Path
from typing import Any

import pytest

import regrade
from regrade.api import so_far
from regrade.store import read_summary
from regrade.store.so_far import read_so_far, write_so_far
from regrade.types import SummaryRow

FIGURES = (
    "eval",
    "prompt",
    "model",
    "scorer",
    "metric",
    "better",
    "value",
    "se",
    "low",
    "high",
    "level",
    "n",
)


def run(scorer: Any, **more: Any) -> regrade.Run:
    """Run a suite over recorded answers, one in three of them wrong and one missing."""
    rows = [{"id": f"s{n}", "input": "x", "target": f"right {n}"} for n in range(40)]
    answers = [{"id": f"s{n}", "text": f"right {n}" if n % 3 else f"wrong {n} of"} for n in range(39)]
    Path("answers.jsonl").write_text("".join(json.dumps(one) + "\n" for one in answers))
    spec = {
        "name": "half",
        "dataset": {"rows": rows, "id": "id"},
        "models": [{"name": "recorded", "outputs": "answers.jsonl", "id": "id", "text": "text"}],
        "prompt": "{{ input }}",
        "scorers": [scorer],
        **more,
    }
    Path("half.yaml").write_text(json.dumps(spec))
    return regrade.run("half.yaml")


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch) -> list[list[SummaryRow]]:
    """Write after every answer, and return what a reader saw each time."""
    seen: list[list[SummaryRow]] = []
    monkeypatch.setattr(so_far, "_EVERY_S", 0.0)

    def written(folder: Any, arms: Any) -> None:
        write_so_far(folder, arms)
        seen.append(read_so_far(folder.path))

    monkeypatch.setattr(so_far, "write_so_far", written)
    return seen


@pytest.mark.parametrize(
    "scorer", ["exact_match", "token_f1", {"token_f1": {"metrics": [{"accuracy": {"at_least": 0.5}}]}}]
)
def test_the_last_word_is_the_summary(workdir: Path, kept: list[list[SummaryRow]], scorer: Any) -> None:
    """When all is scored, value and interval are those of the leading metric; before, they grow with n."""
    found = run(scorer)
    leading = next(row for row in read_summary(found.folder) if row.scorer)
    assert [row.n for (row,) in kept if row.n] == sorted(row.n for (row,) in kept)
    (last,) = kept[-1]
    for name in FIGURES:
        expected = getattr(leading, name)
        assert getattr(last, name) == (pytest.approx(expected) if isinstance(expected, float) else expected)
    assert read_so_far(found.path) == []
    assert not list(found.path.glob("*so-far*"))


def test_answers_that_belong_together_have_no_interval(workdir: Path, kept: list[list[SummaryRow]]) -> None:
    """Those of one sample or cluster are alike: counted apart they would seem to say more than they do."""
    run("exact_match", cluster="{{ id[:2] }}")
    assert kept[-1][0].value == pytest.approx(26 / 39)
    assert kept[-1][0].low is None


def test_what_no_run_wrote_is_nothing(tmp_path: Path) -> None:
    """A torn file, one of another version and none at all tell of no score."""
    assert read_so_far(tmp_path) == []
    for content in ("{", '{"v": 2, "arms": []}', '{"v": 1, "arms": [{"counts": [[1, 1]]}]}', "[]"):
        (tmp_path / "scores-so-far.json").write_text(content)
        assert read_so_far(tmp_path) == []
