"""Secrets never reach the disk; words that only look a little like one do."""

import json
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.cassette.conftest import answer, ask, keep, piece

from regrade.cassette import Recorder, Redaction, Replayer
from regrade.cassette.streams import read_events, redacted_events
from regrade.errors import UsageError

Make = Callable[..., Recorder]

KEYS = [
    "sk-" + "a1B2" * 12,
    "sk-proj-" + "aB3_-" * 20,
    "sk-ant-api03-" + "x9Y_" * 22,
    "sk-or-v1-" + "0f" * 32,
    "uai_" + "abcDEF012345_-6789012345",
    "gsk_" + "Ab1" * 17,
    "xai-" + "Ab1c" * 20,
    "hf_" + "AbCdEfGh" * 4 + "Ij",
    "ghp_" + "a1B2c3" * 6,
    "github_pat_" + "a1B2c3_" * 11,
    "AKIA" + "ABCD2345" * 2,
    "AIza" + "a1B2c3-" * 5,
    "xoxb-1234567890-abcdefghijkl",
    "glpat-" + "a1B2c3d4e5-F6G7_h8i9",
]
INNOCENT = [
    "key-value-store",
    "sk-learn",
    "sk-learn-based-classification-pipeline-for-everyone",
    "task-1234567890abcdefghijklmnopqrstuvwxyz",
    "hf_hub_download",
    "gsk_plc",
    "AKIAH",
    "the Bearer of good tidings and of much more than twenty letters",
    "Bearer acknowledgements",
    "ghp_x",
    "xai-corporation",
    "uai_short",
    "https://example.org/risk-assessment-2024-report-long-title",
]


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("around", ["{}", "my key is {}.", '{{"a":"x\\n{}"}}', "KEY={}\n"])
def test_what_is_shaped_like_a_key_is_taken_out(key: str, around: str) -> None:
    """Wherever it stands in a text."""
    assert Redaction().text(around.format(key)) == around.format("[redacted]")


@pytest.mark.parametrize("text", INNOCENT)
def test_innocent_text_stays(text: str) -> None:
    """Words that begin like a key are none."""
    assert Redaction().text(f"about {text}, please") == f"about {text}, please"


def test_the_value_of_a_header_in_a_text_is_taken_out() -> None:
    """A token after the word Bearer needs no known shape."""
    text = "curl -H 'Authorization: Bearer abcdef0123456789abcdef01'"
    assert Redaction().text(text) == "curl -H 'Authorization: Bearer [redacted]'"


def test_keys_in_use_are_taken_out_whatever_they_look_like() -> None:
    """By their value; the longer of two that begin alike goes whole; words of a few letters are no keys."""
    redaction = Redaction(secrets=["my-own-key", "my-own-key-longer", "demo"])
    assert redaction.text("my-own-key-longer, my-own-key, demo/v1") == "[redacted], [redacted], demo/v1"


def test_a_key_that_json_writes_in_another_way_is_taken_out() -> None:
    """A slash or an accent may stand in a body as an escape."""
    body = rb'{"choices":[{"message":{"content":"abc\/def\u00e9+gh="}}]}'
    assert b"[redacted]" in Redaction(secrets=["abc/def\u00e9+gh="]).body(body)


def test_what_the_user_names_is_taken_out(record: Make, tmp_path: Path) -> None:
    """JSON paths in requests and answers, patterns in any string, names of members included."""
    redaction = Redaction(
        ["$.user", "$.messages[*].name", "$.system_fingerprint"], [r"\b\d{3}-\d{2}-\d{4}\b"]
    )
    request = ask("my number is 123-45-6789", user="me@example.org", metadata={"123-45-6789": 1})
    request["messages"][0]["name"] = "Joan"
    content = json.dumps({**json.loads(answer("123-45-6789?")), "system_fingerprint": "fp_1"}).encode()
    with record(redaction) as recorder:
        keep(recorder, request, content)
    text = (tmp_path / "c" / "exchanges.jsonl").read_text()
    assert not [one for one in ("123-45", "me@example", "Joan", "fp_1") if one in text]
    with Replayer(tmp_path / "c") as replayer:
        found = replayer.find("POST", "/chat/completions", request)
    assert json.loads(found.body)["choices"][0]["message"]["content"] == "[redacted]?"
    assert request["user"] == "me@example.org"


def test_the_hash_tells_nothing_of_a_secret(record: Make, tmp_path: Path) -> None:
    """Requests that differ in a secret alone are one: from a hash of a short secret it could be guessed."""
    with record(Redaction(patterns=[r"PIN \d{4}"])) as recorder:
        keep(recorder, ask("PIN 1234"), answer("a"))
        keep(recorder, ask("PIN 9876"), answer("b"))
    with Replayer(tmp_path / "c") as replayer:
        first, second = replayer.exchanges()
    assert first.hash == second.hash
    assert (first.last_text, first.all_text) == (second.last_text, second.all_text)


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ({"paths": ["$..["]}, r"--redact \$\.\.\[: not a JSON path"),
        ({"patterns": ["("]}, r"--redact-pattern \(: not a regular expression"),
        ({"patterns": ["x*"]}, "it fits the empty text"),
    ],
)
def test_what_is_no_path_or_pattern_is_refused(option: dict[str, Any], message: str) -> None:
    """Before anything is sent."""
    with pytest.raises(UsageError, match=message):
        Redaction(**option)


def texts(events: list[str], take: Callable[[dict[str, Any]], str | None], index: int = 0) -> str:
    """Return what the events spell for a choice."""
    found = ""
    for one in events:
        for choice in json.loads(one)["choices"]:
            found += (take(choice["delta"]) or "") if choice["index"] == index else ""
    return found


def redacted(events: list[str]) -> list[str]:
    """Return events without keys."""
    return redacted_events(events, read_events(events), Redaction())


@given(st.lists(st.integers(0, 70), max_size=12), st.integers(0, 2))
def test_a_key_spread_over_events_is_taken_out(cuts: list[int], index: int) -> None:
    """However a stream is cut into pieces, and whichever choice it is."""
    text = f"a {KEYS[0]} b {KEYS[5]}!"
    places = sorted({0, len(text), *(min(cut, len(text)) for cut in cuts)})
    pieces = [text[begin:end] for begin, end in pairwise(places)]
    events = [piece(one, index=index) for one in pieces]
    events = [one for event in events for one in (event, piece("other", index=3))]
    found = redacted(events)
    assert texts(found, lambda delta: delta.get("content"), index) == "a [redacted] b [redacted]!"
    assert texts(found, lambda delta: delta.get("content"), 3) == "other" * len(pieces)


def test_reasoning_and_arguments_of_tools_are_searched_too() -> None:
    """Each field of each choice, and each call, is a text of its own."""
    key = KEYS[0]
    call = [{"index": 1, "function": {"arguments": '{"token":"' + key[:9]}}]
    rest = [{"index": 1, "function": {"arguments": key[9:] + '"}'}}]
    events = [
        piece(None, reasoning_content=key[:20], tool_calls=call),
        piece(None, reasoning_content=key[20:], tool_calls=rest),
    ]
    found = redacted(events)
    assert texts(found, lambda delta: delta["reasoning_content"]) == "[redacted]"
    arguments = texts(found, lambda delta: delta["tool_calls"][0]["function"]["arguments"])
    assert arguments == '{"token":"[redacted]"}'


def test_log_probabilities_spell_no_key() -> None:
    """Token by token they hold the answer again; with a key in it they go, else they stay."""

    def event(text: str) -> str:
        probabilities = {"content": [{"token": text, "logprob": -0.1}]}
        choice = {"index": 0, "delta": {"content": text}, "logprobs": probabilities}
        return json.dumps({"choices": [choice]})

    spelt = redacted([event(KEYS[0][:8]), event(KEYS[0][8:])])
    assert [json.loads(one)["choices"][0]["logprobs"] for one in spelt] == [None, None]
    harmless = [event("good "), event("day")]
    assert redacted(harmless) == harmless
    whole = {
        "choices": [{"message": {"content": KEYS[0]}, "logprobs": {"content": [{"token": KEYS[0][:8]}]}}]
    }
    assert json.loads(Redaction().body(json.dumps(whole).encode()))["choices"][0]["logprobs"] is None


def test_events_without_secrets_stay_byte_by_byte() -> None:
    """Also those that are no JSON, and spaces in those that are."""
    events = ['{"choices": [ {"index":0,  "delta":{"content":"sk-learn"}} ]}', "not json", "[DONE]"]
    assert redacted(events) == events
