"""Tool calls and reasoning from a real endpoint to the tables, the terminal, the cache and back."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from aiohttp import web

import regrade
from regrade.cli.main import main


def choice(message: dict[str, Any], finish: str = "stop") -> web.Response:
    """Return an answer with reasoning tokens counted."""
    usage = {
        "prompt_tokens": 9,
        "completion_tokens": 8,
        "completion_tokens_details": {"reasoning_tokens": 5},
        "prompt_tokens_details": {"cached_tokens": 4},
    }
    return web.json_response({"choices": [{"message": message, "finish_reason": finish}], "usage": usage})


@pytest.fixture
def spec(workdir: Path, serve: Callable[..., Any]) -> Callable[..., Any]:
    """Return what writes a suite of three samples: one calls, one thinks and answers, one is cut."""

    async def handle(request: web.Request, body: dict[str, Any]) -> web.Response:
        asked = body["messages"][-1]["content"]
        if asked == "call":
            function = {"name": "weather", "arguments": '{"city": "Paris"}'}
            calls = [{"id": "c1", "type": "function", "function": function}]
            return choice({"content": None, "tool_calls": calls}, "tool_calls")
        if asked == "cut":
            return choice({"content": "<think>so long"}, "length")
        return choice({"content": "<think>so</think>think"})

    endpoint = serve(handle)

    def write(**model: Any) -> Any:
        rows = [{"id": name, "input": name, "target": name} for name in ("call", "think", "cut")]
        listed = {"name": "m", "base_url": endpoint.base_url, **model}
        text = {
            "name": "mixed",
            "dataset": {"rows": rows},
            "models": [listed],
            "prompt": "{{ input }}",
            "scorers": ["exact_match"],
        }
        Path("mixed.yaml").write_text(json.dumps(text))
        return endpoint

    return write


def test_the_tables_hold_calls_reasoning_and_counts(spec: Callable[..., Any]) -> None:
    """Calls as JSON, reasoning beside the answer, both counts, and the answer that was cut is not parsed."""
    spec()
    run = regrade.run("mixed.yaml")
    rows = {row["sample_id"]: row for row in run.samples.to_pylist()}
    assert all(row["ok"] for row in rows.values())
    call = {"name": "weather", "arguments": '{"city": "Paris"}', "id": "c1"}
    assert json.loads(rows["call"]["tool_calls"]) == [call]
    assert (rows["think"]["text"], rows["think"]["reasoning"]) == ("think", "so")
    assert rows["think"]["tool_calls"] is None
    assert (rows["cut"]["text"], rows["cut"]["cut_in_reasoning"], rows["cut"]["parsed"]) == ("", True, False)
    assert {(row["reasoning_tokens"], row["cached_tokens"]) for row in rows.values()} == {(5, 4)}
    summary = {row["metric"]: row for row in run.summary.to_pylist() if not row["scorer"]}
    assert (summary["reasoning_tokens"]["value"], summary["cached_tokens"]["value"]) == (15, 12)
    assert summary["cut_in_reasoning"]["value"] == 1
    assert "1 of 3 answers ended in their reasoning" in summary["cut_in_reasoning"]["note"]
    assert any("m: 1 of 3 answers ended" in note for view in run.tables() for note in view.notes)
    reasons = {row["sample_id"]: row["reason"] for row in run.scores.to_pylist()}
    assert "inside its reasoning" in reasons["cut"]


def test_show_prints_the_calls(spec: Callable[..., Any], capsys: pytest.CaptureFixture[str]) -> None:
    """An answer of calls alone shows them, and no empty answer."""
    spec()
    regrade.run("mixed.yaml")
    assert main(["show", "--samples", "--sample", "call"]) == 0
    out = capsys.readouterr().out
    assert 'weather({"city": "Paris"})' in out
    assert "(empty)" not in out


@pytest.mark.parametrize("cache", [False, True])
def test_calls_come_back_from_journal_and_cache(
    spec: Callable[..., Any], cache: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Re-scoring and a second run with the cache see the calls without asking again."""
    monkeypatch.setenv("REGRADE_CACHE_FILE", str(Path("cache.sqlite").resolve()))
    endpoint = spec()
    first = regrade.run("mixed.yaml", cache=cache)
    again = regrade.run("mixed.yaml", cache=True) if cache else regrade.rescore("latest", "mixed.yaml")
    assert again.id != first.id
    columns = ["tool_calls", "reasoning", "reasoning_tokens", "cached_tokens", "cut_in_reasoning"]
    assert again.samples.select(columns).to_pylist() == first.samples.select(columns).to_pylist()
    assert len(endpoint.bodies) == 3


def test_inline_reasoning_stays_where_the_spec_says_so(spec: Callable[..., Any]) -> None:
    """The setting of the model reaches the answer, and makes the request another one for caches."""
    spec()
    hashes = set(regrade.run("mixed.yaml").samples["hash"].to_pylist())
    spec(inline_reasoning=False)
    run = regrade.run("mixed.yaml")
    rows = {row["sample_id"]: row for row in run.samples.to_pylist()}
    assert rows["think"]["text"] == "<think>so</think>think"
    assert not hashes & {row["hash"] for row in rows.values()}


def test_a_run_of_an_older_regrade_still_reads(spec: Callable[..., Any]) -> None:
    """Tables without the new columns can be shown, compared and made a baseline."""
    spec()
    run = regrade.run("mixed.yaml")
    path = run.folder.path / "samples.parquet"
    table = pq.read_table(path)
    new = ["tool_calls", "reasoning_tokens", "cached_tokens", "cut_in_reasoning"]
    pq.write_table(table.drop_columns(new), path)
    assert main(["show", "--samples"]) == 0
    assert main(["baseline", "set", "old", "latest"]) == 0
    assert main(["compare", "old", "latest"]) == 0


def test_a_comparison_shows_the_calls_that_differ(workdir: Path) -> None:
    """Answers without text are told apart by their calls, from a run and from a baseline with answers."""
    rows = [{"id": "a", "input": "q", "target": [{"name": "f", "arguments": {"x": 1}}]}]
    Path("model.py").write_text(
        "def right(request):\n    return {'tool_calls': [{'name': 'f', 'arguments': '{\"x\": 1}'}]}\n"
        "def wrong(request):\n    return {'tool_calls': [{'name': 'f', 'arguments': '{\"x\": 2}'}]}\n"
    )
    for name in ("right", "wrong"):
        spec = {
            "name": "calls",
            "dataset": {"rows": rows},
            "models": [{"name": "m", "python": f"model.py:{name}"}],
            "prompt": "{{ input }}",
            "scorers": ["tool_calls"],
        }
        Path("spec.yaml").write_text(json.dumps(spec))
        regrade.run("spec.yaml")
        if name == "right":
            assert main(["baseline", "set", "before", "latest", "--answers"]) == 0
    for first in ("previous", "before"):
        (flips,) = regrade.compare(first, "latest").flips
        (flip,) = flips.broken
        assert (flip.text_a, flip.text_b) == ('f({"x": 1})', 'f({"x": 2})')
