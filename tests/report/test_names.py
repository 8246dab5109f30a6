"""Short names never read the same, and lists of names say how long they are."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regrade.report.names import listed, short_names
from regrade.report.numbers import MISSING

PARTS = ["mistral", "small", "24b", "instruct", "v3.1", "x" * 30, "y", "Ünï", "2501"]
NAMES = st.lists(
    st.lists(st.sampled_from(PARTS), max_size=7)
    .flatmap(lambda parts: st.sampled_from("-/_ .").map(lambda between: between.join(parts))),
    max_size=12,
)  # fmt: skip


@pytest.mark.parametrize(
    ("names", "short"),
    [
        (
            ["mistral-small-3.1-24b-instruct", "mistral-small-3.2-24b-instruct"],
            ["mistral-small-3.1…", "mistral-small-3.2…"],
        ),
        (["mixed-8x22b-instruct-v0.3-2026-10-30", "mixed-8x22b-instruct-v0.3-2026-10-31"],
         ["mixed-8x22b…30", "mixed-8x22b…31"]),
        (["demo/v1", "demo/v2"], ["v1", "v2"]),
        (["east/llama", "west/llama", "west/qwen"], ["east/llama", "west/llama", "qwen"]),
        (["x" * 40 + "1", "x" * 40 + "2"], ["…" + "x" * 18 + "1", "…" + "x" * 18 + "2"]),
        (["a-model", "a-model"], ["a-model"]),
    ],
)  # fmt: skip
def test_what_names_share_is_left_out(names: list[str], short: list[str]) -> None:
    """What tells them apart stays."""
    assert list(short_names(names).values()) == short


@given(NAMES)
def test_no_two_names_read_the_same(names: list[str]) -> None:
    """Whatever they are."""
    found = short_names(names)
    assert list(found) == list(dict.fromkeys(names))
    assert len(set(found.values())) == len(found)


def test_a_long_list_says_how_many_more() -> None:
    """Three and the number of the others; names with a comma of their own stay apart."""
    assert listed([]).text == MISSING
    assert (listed(list("abcde")).text, listed(list("abcde")).whole) == ("a, b, c, d, e", "")
    assert (listed(list("abcdef")).text, listed(list("abcdef")).whole) == (
        "a, b, c and 3 more",
        "a, b, c, d, e, f",
    )
    assert listed(["echo, long", "one"]).text == "echo, long; one"
