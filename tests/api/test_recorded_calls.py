"""Recorded answers and Python functions may call tools and think, as endpoints do."""

import json
from pathlib import Path
from typing import Any

import pytest

import regrade
from regrade.cli.main import main

TARGET = [{"name": "weather", "arguments": {"city": "Paris"}}]


def write(model: dict[str, Any], scorers: list[Any]) -> None:
    """Write a suite of one sample."""
    spec = {
        "name": "recorded",
        "dataset": {"rows": [{"id": "a", "input": "Paris?", "target": TARGET}]},
        "models": [{"name": "m", **model}],
        "prompt": "{{ input }}",
        "scorers": scorers,
    }
    Path("spec.yaml").write_text(json.dumps(spec))


@pytest.mark.parametrize(
    "calls", [TARGET, json.dumps(TARGET), [{"id": "c", "type": "function", "function": TARGET[0]}]]
)
def test_recorded_calls_are_scored(workdir: Path, calls: Any) -> None:
    """A list, its JSON text or the API's form; no text is needed beside them."""
    row = {"id": "a", "calls": calls, "said": None, "thought": 5}
    (workdir / "out.jsonl").write_text(json.dumps(row))
    fields = {"outputs": "out.jsonl", "id": "id", "tool_calls": "calls", "reasoning_tokens": "thought"}
    for more in ({}, {"text": "said"}):
        write({**fields, **more}, ["tool_calls"])
        run = regrade.run("spec.yaml")
        assert run.scores.to_pylist()[0]["value"] == 1
        assert run.samples["reasoning_tokens"].to_pylist() == [5]


def test_recorded_reasoning_is_told_from_the_answer(workdir: Path) -> None:
    """As it would have been when the answer came from the endpoint, unless the spec says otherwise."""
    (workdir / "out.jsonl").write_text(json.dumps({"id": "a", "said": "<think>hm</think>fine"}))
    fields = {"outputs": "out.jsonl", "id": "id", "text": "said"}
    for more, text, reasoning in (
        ({}, "fine", "hm"),
        ({"inline_reasoning": False}, "<think>hm</think>fine", None),
    ):
        write({**fields, **more}, [{"includes": ["fine"]}])
        row = regrade.run("spec.yaml").samples.to_pylist()[0]
        assert (row["text"], row["reasoning"]) == (text, reasoning)


def test_a_bad_recording_is_named(workdir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """File and line of calls that are none."""
    (workdir / "out.jsonl").write_text('{"id": "a", "calls": {"name": "weather"}}')
    write({"outputs": "out.jsonl", "id": "id", "tool_calls": "calls"}, ["tool_calls"])
    assert main(["run", "spec.yaml"]) == 2
    assert "out.jsonl:1: the recorded tool calls are no list" in capsys.readouterr().err


def test_a_function_may_call_tools(workdir: Path) -> None:
    """It returns calls in the mapping, with or without a text."""
    (workdir / "model.py").write_text(f"def answer(request):\n    return {{'tool_calls': {TARGET!r}}}\n")
    write({"python": "model.py:answer"}, ["tool_calls"])
    assert regrade.run("spec.yaml").scores.to_pylist()[0]["value"] == 1
