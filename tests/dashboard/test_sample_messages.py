"""Conversations in whatever form they were recorded."""

from typing import Any

import pytest

from regrade.dashboard.sample_messages import calls_of, messages_of, text_view


def link(part: str) -> str:
    """Return an address."""
    return f"/{part}"


def test_parts_are_shown_by_their_kind() -> None:
    """Texts as texts, images and sounds by their stand-in, what is unknown as JSON."""
    content = [
        {"type": "text", "text": "look"},
        {"type": "image_url", "image_url": {"url": "[image/png, 12 kB, ab12]"}},
        {"type": "input_audio", "input_audio": {"data": "[audio/wav, 1 kB, cd34]", "format": "wav"}},
        {"type": "file", "file": {"filename": "a.pdf"}},
        {"type": "odd", "x": [1]},
        "bare",
    ]
    (message,) = messages_of([{"role": "user", "content": content}], link)
    assert [(one.kind, one.text.text) for one in message.pieces] == [
        ("text", "look"),
        ("media", "image_url: [image/png, 12 kB, ab12]"),
        ("media", "input_audio: [audio/wav, 1 kB, cd34]"),
        ("media", "file: a.pdf"),
        ("json", '{\n  "type": "odd",\n  "x": [\n    1\n  ]\n}'),
        ("text", "bare"),
    ]


def test_calls_and_their_results_are_told() -> None:
    """The function with its arguments, and what a tool answered to."""
    calls = [{"id": "c1", "type": "function", "function": {"name": "find", "arguments": '{"q": 1}'}}]
    asked, told = messages_of(
        [
            {"role": "assistant", "content": None, "tool_calls": calls},
            {"role": "tool", "tool_call_id": "c1", "content": "found"},
        ],
        link,
    )
    (call,) = asked.calls
    assert (call.name, call.arguments.text, call.id) == ("find", '{"q": 1}', "c1")
    assert told.who == "Tool c1"


def test_the_system_is_folded_with_its_length() -> None:
    """It is the same for all samples and often long."""
    system, user = messages_of(
        [{"role": "system", "content": "be brief"}, {"role": "user", "content": "hi"}], link
    )
    assert (system.fold, user.fold) == ("System, 2 words", "")


@pytest.mark.parametrize(
    "found", [None, "a text", 7, [], [7], [{"role": None}], [{"content": {"a": 1}}], {"x": 1}, [[1]]]
)
def test_nothing_that_was_recorded_breaks_a_story(found: Any) -> None:
    """Whatever it is, it is shown somehow."""
    messages_of(found, link)
    calls_of(found, link)


def test_a_long_text_says_how_much_of_it_is_shown() -> None:
    """And where the rest is."""
    view = text_view("x" * 10_001, "/all")
    assert (len(view.text), view.cut, view.href) == (4_000, "first 4,000 of 10,001 characters", "/all")
    assert text_view("x" * 10_000, "/all").cut == ""
