"""Tool calls in all the forms in which servers send them, whole and streamed."""

import json
from typing import Any

import pytest

from regrade.providers.answers import AnswerBuilder, read_completion
from regrade.types import ToolCall

PARIS = ToolCall("weather", '{"city": "Paris"}', "c1")
ROME = ToolCall("weather", '{"city": "Rome"}', "c2")


def piece(
    index: int | None = None, id_: str | None = None, name: str | None = None, arguments: Any = None
) -> dict[str, Any]:
    """Return one entry of a delta's `tool_calls`; what is None is left out."""
    function = {"name": name, "arguments": arguments}
    entry = {"index": index, "id": id_, "type": "function"}
    return {
        **{key: value for key, value in entry.items() if value is not None},
        "function": {key: value for key, value in function.items() if value is not None},
    }


def streamed(*pieces: dict[str, Any]) -> tuple[ToolCall, ...]:
    """Return the calls of a stream of deltas with one entry each."""
    builder = AnswerBuilder()
    for one in pieces:
        assert builder.add({"choices": [{"index": 0, "delta": {"tool_calls": [one]}}]})
    builder.add({"choices": [{"index": 0, "delta": {}, "finish_reason": "tool_calls"}]})
    found = builder.completion(ttft_s=None, latency_s=1.0)
    assert found.text == ""
    return found.tool_calls


def whole(message: dict[str, Any], finish: str | None = "tool_calls") -> tuple[ToolCall, ...]:
    """Return the calls of a whole answer."""
    body = json.dumps({"choices": [{"message": message, "finish_reason": finish}]}).encode()
    return read_completion(body, "chat", 1.0).tool_calls


FORMS: dict[str, list[dict[str, Any]]] = {
    "as the API has it": [
        piece(0, "c1", "weather", ""),
        piece(0, arguments='{"city":'),
        piece(0, arguments=' "Paris"}'),
        piece(1, "c2", "weather", ""),
        piece(1, arguments='{"city": "Rome"}'),
    ],
    "pieces of two calls in turn": [
        piece(0, "c1", "weather", '{"city":'),
        piece(1, "c2", "weather", '{"city": "'),
        piece(0, arguments=' "Paris"}'),
        piece(1, arguments='Rome"}'),
    ],
    "every call at once, all of index 0": [
        piece(0, "c1", "weather", '{"city": "Paris"}'),
        piece(0, "c2", "weather", '{"city": "Rome"}'),
    ],
    "no index": [
        piece(None, "c1", "weather", '{"city":'),
        piece(None, None, None, ' "Paris"}'),
        piece(None, "c2", "weather", '{"city": "Rome"}'),
    ],
    "name and id repeated": [
        piece(0, "c1", "weather", '{"city":'),
        piece(0, "c1", "weather", ' "Paris"}'),
        piece(1, "c2", "weather", '{"city": "Rome"}'),
    ],
    "a new id with every piece": [
        piece(0, "c1", "weather", '{"city":'),
        piece(0, "x7", None, ' "Paris"}'),
        piece(1, "c2", "weather", '{"city": '),
        piece(1, "x8", None, '"Rome"}'),
    ],
    "the name in pieces": [
        piece(0, "c1", "wea", ""),
        piece(0, None, "ther", ""),
        piece(0, arguments='{"city": "Paris"}'),
        piece(1, "c2", "weather", '{"city": "Rome"}'),
    ],
}


@pytest.mark.parametrize("form", FORMS)
def test_streamed_calls_are_put_together(form: str) -> None:
    """However a server cuts two calls into pieces, they come out as two calls."""
    assert streamed(*FORMS[form]) == (PARIS, ROME)


def test_calls_without_ids_are_told_apart() -> None:
    """Neither index nor id: a name begins the next call once the last is complete, or has another name."""
    found = streamed(
        piece(name="weather", arguments='{"city": "Paris"}'),
        piece(name="weather", arguments='{"city": "Rome"}'),
        piece(name="time", arguments="{}"),
    )
    assert found == (
        ToolCall("weather", '{"city": "Paris"}'),
        ToolCall("weather", '{"city": "Rome"}'),
        ToolCall("time", "{}"),
    )


def test_the_legacy_function_call_is_a_call() -> None:
    """`function_call`, whole and streamed."""
    legacy = {"name": "weather", "arguments": '{"city": "Paris"}'}
    assert whole({"content": None, "function_call": legacy}) == (ToolCall("weather", '{"city": "Paris"}'),)
    builder = AnswerBuilder()
    for part in ({"name": "weather", "arguments": ""}, {"arguments": '{"city":'}, {"arguments": ' "Paris"}'}):
        builder.add({"choices": [{"delta": {"function_call": part}}]})
    builder.add({"choices": [{"delta": {}, "finish_reason": "function_call"}]})
    found = builder.completion(ttft_s=None, latency_s=1.0)
    assert found.tool_calls == (ToolCall("weather", '{"city": "Paris"}'),)


def test_whole_calls_keep_what_the_model_wrote() -> None:
    """Arguments that are no JSON stay as they are; those that a server sends as an object become its text."""
    calls = [
        {"id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"a": '}},
        {"id": "c2", "function": {"name": "f", "arguments": {"a": 1}}},
        {"function": {"name": "f"}},
        {"type": "custom", "id": "c4", "custom": {"name": "sql", "input": "select 1"}},
        "no call",
    ]
    assert whole({"content": None, "tool_calls": calls}) == (
        ToolCall("f", '{"a": ', "c1"),
        ToolCall("f", '{"a":1}', "c2"),
        ToolCall("f", ""),
        ToolCall("sql", '{"input":"select 1"}', "c4"),
    )


def test_calls_alone_are_an_answer() -> None:
    """No content and not even a finish reason: the call is the answer."""
    assert whole({"tool_calls": [piece(0, "c1", "f", "{}")]}, None) == (ToolCall("f", "{}", "c1"),)
    assert whole({"content": "hi", "tool_calls": []}, "stop") == ()


def test_a_call_is_the_first_piece_of_a_stream() -> None:
    """Time to first token counts a piece of a call as well as one of the text."""
    builder = AnswerBuilder()
    assert not builder.add({"choices": [{"delta": {"role": "assistant", "content": None}}]})
    assert builder.add({"choices": [{"delta": {"tool_calls": [piece(0, "c1", "f", "")]}}]})
