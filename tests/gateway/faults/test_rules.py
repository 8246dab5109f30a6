"""Files of faults are checked strictly, and every mistake is shown with its place."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from regrade.errors import SpecError

Read = Callable[[str], Any]


def test_a_file_says_what_happens(read: Read) -> None:
    """Seed, faults in their order, and models as one pattern or several."""
    plan = read(
        "seed: 7\nfaults:\n  - {fault: rate_limit, rate: 0.1, retry_after: 1}\n"
        '  - {fault: cut_stream, models: "demo/*", first: 2, chunks: 3}\n'
    )
    assert plan.seed == 7
    assert [rule.fault for rule in plan.rules] == ["rate_limit", "cut_stream"]
    assert (plan.rules[0].rate, plan.rules[0].models) == (0.1, ["*"])
    assert (plan.rules[1].models, plan.rules[1].first, plan.rules[1].chunks) == (["demo/*"], 2, 3)


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("faults: [{fault: rate_limitt}]", "1:18", 'unknown fault "rate_limitt".*did you mean "rate_limit"'),
        ("faults: [{fault: zebra}]", "1:18", "--faults-list"),
        ("faults: [{fault: reset, rat: 1}]", "1:25", 'unknown key "rat".*did you mean "rate"'),
        ("faults: [{fault: reset, rate: 1.5}]", "1:31", "`rate` must be at most 1, not 1.5"),
        ("faults: [{fault: reset, rate: often}]", "1:31", '`rate` must be a number, not "often"'),
        ("faults: [{rate: 1}]", "1:10", 'the key "fault" is missing'),
        ("faults: []", "1:9", "must not be empty"),
        ("seed: 1\nfault: []", "2:1", 'unknown key "fault".*did you mean "faults"'),
        ("faults: [{fault: reset, chunks: 1}]", "1:25", "reset has no `chunks`"),
        ("faults: [{fault: silence, chunks: 1}]", "1:27", "silence has no `chunks`.*it takes: seconds"),
        ("faults: [{fault: cut_stream, stream: false}]", "1:38", "cut_stream is a fault of streams"),
        ("faults: [{fault: reset, first: 0}]", "1:32", "`first` must be at least 1"),
        ("faults: [{fault: reset, endpoint: images}]", "1:35", "must be 'chat' or 'completions'"),
    ],
)
def test_mistakes_have_a_place(read: Read, text: str, place: str, words: str) -> None:
    """File, line, column, what is wrong and what was perhaps meant."""
    with pytest.raises(SpecError) as caught:
        read(text)
    message = str(caught.value)
    assert f"faults.yaml:{place}:" in message
    assert re.search(words, message, re.DOTALL), message


def test_all_mistakes_are_said_at_once(read: Read) -> None:
    """A wrong name, a wrong key and a wrong value in one go, in the order of the file."""
    with pytest.raises(SpecError) as caught:
        read("faults:\n  - {fault: resett}\n  - {fault: reset, rat: 1}\n  - {fault: reset, rate: -1}\n")
    assert [one.where.line for one in caught.value.problems if one.where] == [2, 3, 4]
