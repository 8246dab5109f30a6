"""Conversations of a dataset: right ones go out as the API wants them, malformed ones are named."""

from typing import Any

import pytest

from regrade.errors import DatasetError
from regrade.plan.conversations import checked_conversation

CALL = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
ASKED: dict[str, Any] = {"role": "user", "content": "hi"}
CALLED: dict[str, Any] = {"role": "assistant", "tool_calls": [CALL]}


def test_a_conversation_with_tools_goes_out_as_the_api_has_it() -> None:
    """Nulls of a table's rows are left out, and arguments that are objects become JSON text."""
    called = {"id": "c1", "name": "f", "arguments": {"city": "Paris", "unit": None}}
    rows = [
        {"role": "system", "content": "be brief", "tool_calls": None, "name": None},
        {"role": "assistant", "content": None, "tool_calls": [called]},
        {"role": "tool", "content": "17", "tool_call_id": "c1"},
        {"role": "user", "content": [{"type": "text", "text": "and?", "image_url": None}], "tool_calls": []},
    ]
    expected = [
        {"role": "system", "content": "be brief"},
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [
                {"id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"city":"Paris"}'}}
            ],
        },
        {"role": "tool", "content": "17", "tool_call_id": "c1"},
        {"role": "user", "content": [{"type": "text", "text": "and?"}]},
    ]
    assert checked_conversation(rows, "turns") == expected
    assert checked_conversation('[{"role": "user", "content": "hi"}]', "turns") == [ASKED]


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (None, "`turns` must be a list of messages, not null"),
        ([], "`turns` must be a list of messages, not an empty list"),
        ({"role": "user"}, "not an object"),
        ("hello", "neither a list of messages nor its JSON"),
        (["hello"], "message 1 of `turns` must be an object"),
        ([{"from": "human", "value": "hi"}], 'message 1 of `turns` has a field "from"'),
        ([ASKED, {"role": "assistent", "content": "x"}], "message 2 of `turns` has the role 'assistent'"),
        ([{"role": "user"}], "has no content"),
        ([{"role": "user", "content": 3}], "neither a text nor a list of parts"),
        ([{"role": "user", "content": [{"type": "txt", "text": "a"}]}], "has a part of type 'txt'"),
        ([{"role": "user", "content": [{"type": "text"}]}], "each with its content"),
        ([{**ASKED, "tool_calls": [CALL]}], "has tool_calls, and the role user"),
        ([{"role": "assistant", "tool_calls": [{"id": "c1"}]}], "call 1 without the name of a function"),
        ([{"role": "assistant", "tool_calls": [{"name": "f"}]}], "call 1 without an id"),
        ([{"role": "assistant", "tool_calls": "f()"}], "not a list"),
        (
            [{"role": "assistant", "tool_calls": [{"id": "c", "name": "f", "arguments": 3}]}],
            "whose arguments are '3'",
        ),
        (
            [CALLED, {"role": "tool", "content": "1"}],
            "message 2 of `turns` is the result of a tool and needs",
        ),
        ([CALLED, {"role": "tool", "content": "1", "tool_call_id": "c2"}], 'answers the call "c2", which no'),
        ([{**ASKED, "tool_call_id": "c1"}], "has a tool_call_id, and the role user"),
    ],
)
def test_malformed_messages_are_named(value: Any, message: str) -> None:
    """Which message, counted from 1, and what is wrong with it."""
    with pytest.raises(DatasetError) as caught:
        checked_conversation(value, "turns")
    assert message in caught.value.message
