"""In which order recorded answers are handed out, and what is said when there is none."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.cassette.conftest import answer, ask, keep

from regrade.cassette import Recorder, Replayer
from regrade.errors import CassetteMiss, ProviderError

Make = Callable[..., Recorder]
CHAT = ("POST", "/chat/completions")


def told(replayer: Replayer, label: str | None = None, text: str = "hi") -> str:
    """Return the text of the next answer, or the status of a refusal."""
    found = replayer.find(*CHAT, ask(text), label)
    if found.status != 200:
        return str(found.status)
    content: str = json.loads(found.body)["choices"][0]["message"]["content"]
    return content


def test_repeats_come_in_the_order_of_their_start(record: Make, tmp_path: Path) -> None:
    """Not in that of their end, and on over several sittings."""
    with record() as recorder:
        slow, fast = (recorder.begin(*CHAT, ask("hi")) for _ in range(2))
        for take, text in ((fast, "second"), (slow, "first")):
            take.answered(200, {})
            take.body(answer(text))
            take.end()
    with record() as recorder:
        keep(recorder, ask("hi"), answer("third"))
    with Replayer(tmp_path / "c") as replayer:
        assert [told(replayer) for _ in range(3)] == ["first", "second", "third"]
        with pytest.raises(CassetteMiss, match="was recorded 3 times and is asked for the 4th time"):
            told(replayer)
        assert (replayer.misses, "4th" in replayer.first_miss) == (1, True)


def test_each_label_gets_its_own_answers(record: Make, tmp_path: Path) -> None:
    """In whatever order they ask; a label that was not recorded takes what is left."""
    with record() as recorder:
        for label in "abcd":
            keep(recorder, ask("hi"), answer(label), label=label)
    with Replayer(tmp_path / "c") as replayer:
        assert [told(replayer, one) for one in ("c", "a", "new", None)] == ["c", "a", "b", "d"]
        with pytest.raises(CassetteMiss, match="recorded once and is asked for the 2nd time"):
            told(replayer, "c")


def test_passing_refusals_give_way_to_the_answer_that_came(record: Make, tmp_path: Path) -> None:
    """A retry that helped then is not needed now; a refusal that lasted lasts."""
    with record() as recorder:
        keep(recorder, ask("hi"), b"{}", 429)
        failed = recorder.begin(*CHAT, ask("hi"))
        failed.failed(ProviderError("reset", kind="connection", retryable=True))
        failed.end("cut")
        keep(recorder, ask("hi"), answer("yes"))
        keep(recorder, ask("hi"), answer("again"))
        for status in (500, 503):
            keep(recorder, ask("down"), b'{"error":{"message":"down"}}', status)
        keep(recorder, ask("bad"), b'{"error":{"message":"bad"}}', 400)
        keep(recorder, ask("html"), b"<html>busy</html>")
        keep(recorder, ask("html"), answer("fine"))
    with Replayer(tmp_path / "c") as replayer:
        assert [told(replayer) for _ in range(2)] == ["yes", "again"]
        assert [told(replayer, text="down") for _ in range(3)] == ["503"] * 3
        assert told(replayer, text="bad") == "400"
        assert told(replayer, text="html") == "fine"


def test_an_answer_is_repeated_only_where_that_is_asked_for(record: Make, tmp_path: Path) -> None:
    """Servers that live long may repeat the last one; listings of models always are."""
    with record() as recorder:
        keep(recorder, ask("hi"), answer("yes"))
        listing = recorder.begin("GET", "/models")
        listing.answered(200, {})
        listing.body(b'{"data":[]}')
        listing.end()
    with Replayer(tmp_path / "c", repeat_last=True) as replayer:
        assert [told(replayer) for _ in range(3)] == ["yes"] * 3
    with Replayer(tmp_path / "c") as replayer:
        assert [replayer.find("GET", "/models").body for _ in range(3)] == [b'{"data":[]}'] * 3
        assert replayer.models() == ["m"]


def missed(folder: Path, request: object, path: str = "/chat/completions") -> str:
    """Return what is said of a request that was not recorded."""
    with Replayer(folder) as replayer, pytest.raises(CassetteMiss) as caught:
        replayer.find("POST", path, request)
    return caught.value.message


def test_a_miss_names_the_nearest_request_and_what_differs(record: Make, tmp_path: Path) -> None:
    """Leaf by leaf, a few of them; texts by the place from which they differ."""
    base = "Classify this ticket: the printer on floor three is out of paper again."
    with record() as recorder:
        for number in range(200):
            keep(recorder, ask(f"Something else entirely, number {number}"), answer("x"))
        keep(recorder, ask(base, seed=7), answer("x"))
        keep(recorder, {**ask(base, seed=7), "model": "other"}, answer("x"))
    said = missed(tmp_path / "c", ask(base, seed=7, temperature=0.2) | {"temperature": 0.2})
    assert (
        'the nearest one to m, recorded 2026-03-01 12:30 UTC, asked "Classify this ticket: the printer'
        in said
    )
    assert said.endswith("What differs: temperature: 0.2, recorded 0")
    said = missed(tmp_path / "c", ask(base.replace("three", "four"), seed=7))
    assert said.endswith(
        'What differs: messages[0].content: differs from character 44: "…n floor four is out of paper…" '
        'recorded "…n floor three is out of pape…"'
    )
    more = ask(base, **{f"x{number}": number for number in range(9)})
    assert "; and 5 more" in missed(tmp_path / "c", more)
    assert "seed is missing, recorded 7" in missed(tmp_path / "c", ask(base))
    assert "none of its 202 exchanges is a POST /completions" in missed(
        tmp_path / "c", {"prompt": "x"}, "/completions"
    )


def test_an_empty_cassette_says_so(record: Make, tmp_path: Path) -> None:
    """A recording in which nothing was asked is no fault, but answers nothing."""
    with record():
        pass
    assert missed(tmp_path / "c", ask("hi")).endswith("it is empty")


def test_a_damaged_line_is_named(record: Make, tmp_path: Path) -> None:
    """The marks of a merge, or an edit by hand."""
    with record() as recorder:
        keep(recorder, ask("hi"), answer("yes"))
    path = tmp_path / "c" / "exchanges.jsonl"
    path.write_bytes(path.read_bytes() + b"<<<<<<< HEAD\n")
    with pytest.raises(Exception, match=r"exchanges\.jsonl:2: not an exchange .*\n.*merge"):
        Replayer(tmp_path / "c")


SYSTEM = {"role": "system", "content": "Answer with one word."}


def test_an_added_message_is_one_difference(record: Make, tmp_path: Path) -> None:
    """The request that asks the same in the end is named, however many are alike in other ways."""
    near = [
        ask("hi", seed=7) | {"messages": [SYSTEM, {"role": "user", "content": f"hi {n}"}]} for n in range(60)
    ]
    with record() as recorder:
        for one in near:
            keep(recorder, one, answer("x"))
        keep(recorder, ask("hi") | {"model": "other"}, answer("x"))
        keep(recorder, ask("hi"), answer("x"))
    asked = ask("hi", seed=7)
    asked["messages"].insert(0, SYSTEM)
    said = missed(tmp_path / "c", asked)
    assert 'the nearest one to m, recorded 2026-03-01 12:30 UTC, asked "hi"' in said
    assert said.endswith("What differs: one message added (system); seed: 7, not in the recorded one")


def test_messages_are_held_against_those_that_they_stand_for(record: Make, tmp_path: Path) -> None:
    """By equal messages, then by roles; what one side alone has is counted, with its roles."""
    turns = [SYSTEM, {"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]
    with record() as recorder:
        keep(recorder, {"model": "m", "messages": [*turns, {"role": "user", "content": "c"}]}, answer("x"))
    asked = {"model": "m", "messages": [{"role": "user", "content": "z"}, {"role": "user", "content": "c"}]}
    said = missed(tmp_path / "c", asked)
    assert said.endswith(
        'What differs: messages[0].content: "z", recorded "a"; 2 messages missing (system, assistant)'
    )


def test_no_stream_is_asked_for_in_two_ways(record: Make, tmp_path: Path) -> None:
    """`stream: false`, with options of streams or without, is what leaving it out is."""
    with record() as recorder:
        for _ in range(2):
            keep(recorder, ask("hi", stream=False, stream_options={"include_usage": True}), answer("yes"))
        keep(recorder, ask("streamed", stream=True), answer("no"))
    with Replayer(tmp_path / "c") as replayer:
        assert replayer.find(*CHAT, ask("hi")).request["stream"] is False
        assert replayer.find(*CHAT, ask("hi", stream=None)).body == answer("yes")
    assert missed(tmp_path / "c", ask("streamed")).endswith("What differs: stream is missing, recorded true")


def test_a_torn_last_line_is_told(record: Make, tmp_path: Path) -> None:
    """Whoever misses what stood in it learns why."""
    with record() as recorder:
        keep(recorder, ask("hi"), answer("yes"))
        keep(recorder, ask("torn"), answer("yes"))
    path = tmp_path / "c" / "exchanges.jsonl"
    path.write_bytes(path.read_bytes()[:-20])
    with Replayer(tmp_path / "c") as replayer:
        assert "exchanges.jsonl (line 2) is torn" in replayer.torn
        assert len(replayer) == 1
    assert "The last line of " in missed(tmp_path / "c", ask("torn"))
