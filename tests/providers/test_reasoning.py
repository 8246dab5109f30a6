"""Reasoning is told from the answer, in whichever form a server sends it."""

import json
from typing import Any

import pytest

from regrade.providers.answers import AnswerBuilder, read_completion
from regrade.types import Completion, Usage

THOUGHT = "2 and 2 is 4"
FORMS: dict[str, dict[str, Any]] = {
    "reasoning_content": {"content": "4", "reasoning_content": THOUGHT},
    "reasoning": {"content": "4", "reasoning": THOUGHT},
    "both": {"content": "4", "reasoning": THOUGHT, "reasoning_content": THOUGHT},
    "reasoning_details": {
        "content": "4",
        "reasoning": None,
        "reasoning_details": [
            {"type": "reasoning.text", "text": "2 and 2 "},
            {"type": "reasoning.summary", "summary": "is 4"},
            {"type": "reasoning.encrypted", "data": "AAAA"},
        ],
    },
    "thinking_blocks": {"content": "4", "thinking_blocks": [{"type": "thinking", "thinking": THOUGHT}]},
    "parts": {"content": [{"type": "reasoning", "reasoning": THOUGHT}, {"type": "text", "text": "4"}]},
    "parts in parts": {
        "content": [
            {"type": "thinking", "thinking": [{"type": "text", "text": THOUGHT}]},
            {"type": "text", "text": "4"},
        ]
    },
    "inline": {"content": f"<think>\n{THOUGHT}\n</think>\n\n4"},
    "inline after white space": {"content": f"\n <think>{THOUGHT}</think>4"},
    "inline, the template wrote the opening tag": {"content": f"{THOUGHT}\n</think>\n\n4"},
    "of ByteDance": {"content": f"<seed:think>{THOUGHT}</seed:think>4"},
    "of EXAONE": {"content": f"<thought>\n{THOUGHT}\n</thought>\n\n4"},
}


def whole(message: dict[str, Any], *, finish: str = "stop", inline: bool = True, **more: Any) -> Completion:
    """Return a whole answer as read."""
    body = json.dumps({"choices": [{"message": message, "finish_reason": finish}], **more}).encode()
    return read_completion(body, "chat", 1.0, inline=inline)


@pytest.mark.parametrize("form", FORMS)
def test_whole_answers(form: str) -> None:
    """The answer is the answer alone; what the model thought stands beside it."""
    found = whole(FORMS[form])
    assert (found.text, found.reasoning) == ("4", THOUGHT)


@pytest.mark.parametrize("size", [1, 3, 1000])
@pytest.mark.parametrize("form", FORMS)
def test_streams_cut_anywhere(form: str, size: int) -> None:
    """Whatever the chunks are, tags split across them included, the result is that of the whole answer."""
    builder = AnswerBuilder()
    for name, value in FORMS[form].items():
        if form == "both" and name == "reasoning_content":
            continue
        parts = value if isinstance(value, list) else [value]
        for part in parts:
            cut = [part[n : n + size] for n in range(0, len(part), size)] if isinstance(part, str) else [part]
            for one in cut:
                delta = {name: [one] if isinstance(value, list) else one}
                builder.add({"choices": [{"index": 0, "delta": delta}]})
    builder.add({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
    found = builder.completion(ttft_s=None, latency_s=1.0)
    assert (found.text, found.reasoning) == ("4", THOUGHT)


def test_the_inline_form_can_be_turned_off() -> None:
    """Then the text is the model's own, tags and all."""
    text = "<think>hm</think>4"
    found = whole({"content": text}, inline=False)
    assert (found.text, found.reasoning) == (text, None)


@pytest.mark.parametrize(
    "text", ["4 <think>is not</think> 5", "a < b", "", "<thinking> is a word</thinking>", "think> 4"]
)
def test_an_answer_that_speaks_of_tags_stays_whole(text: str) -> None:
    """A tag in the middle of an answer that has an opening one is part of it."""
    if "<think>" in text:
        found = whole({"content": text, "reasoning": "r"})
        assert (found.text, found.reasoning) == (text, "r")
    else:
        assert (whole({"content": text}).text, whole({"content": text}).reasoning) == (text, None)


def test_an_answer_cut_in_its_reasoning_is_an_empty_one() -> None:
    """The closing tag never came, or the content was null: no text, and known why."""
    for message in ({"content": "<think>2 and"}, {"content": None, "reasoning_content": "2 and"}):
        found = whole(message, finish="length")
        assert (found.text, found.reasoning) == ("", "2 and")
        assert found.cut_in_reasoning
    counted = {"completion_tokens": 5, "completion_tokens_details": {"reasoning_tokens": 5}}
    assert whole({"content": ""}, finish="length", usage=counted).cut_in_reasoning
    assert not whole({"content": "4", "reasoning": "r"}, finish="length").cut_in_reasoning
    assert not whole({"content": "", "reasoning": "r"}).cut_in_reasoning
    calls = [{"function": {"name": "f", "arguments": "{"}}]
    assert not whole({"content": "", "reasoning": "r", "tool_calls": calls}, finish="length").cut_in_reasoning


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        (
            {
                "prompt_tokens": 9,
                "completion_tokens": 8,
                "total_tokens": 17,
                "prompt_tokens_details": {"cached_tokens": 4},
                "completion_tokens_details": {"reasoning_tokens": 5},
            },
            Usage(9, 8, 5, 4),
        ),
        (
            # xAI: the answer's tokens are those after the reasoning.
            {
                "prompt_tokens": 9,
                "completion_tokens": 3,
                "total_tokens": 17,
                "completion_tokens_details": {"reasoning_tokens": 5},
            },
            Usage(9, 8, 5, None),
        ),
        ({"prompt_tokens": 9, "completion_tokens": 3, "prompt_cache_hit_tokens": 2}, Usage(9, 3, None, 2)),
        ({"prompt_tokens": 9, "completion_tokens": 3, "cached_tokens": 0}, Usage(9, 3, None, 0)),
        (
            {"prompt_tokens": 1, "completion_tokens": 2, "reasoning_tokens": 1, "total_tokens": 3},
            Usage(1, 2, 1),
        ),
    ],
)
def test_reasoning_and_cached_tokens_are_counted(usage: dict[str, Any], expected: Usage) -> None:
    """Wherever a server counts them; reasoning is part of the completion tokens, which are paid for."""
    assert whole({"content": "4"}, usage=usage).usage == expected
