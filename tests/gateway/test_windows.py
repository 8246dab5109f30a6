"""A bound on the tokens of a prompt that no tokenizer can undercut."""

from typing import Any

import pytest

from regrade.gateway.refusals import Refusal
from regrade.gateway.windows import check_window, least_tokens


def chat(*contents: Any) -> dict[str, Any]:
    """Return a request with a message of each content."""
    return {"messages": [{"role": "user", "content": one} for one in contents]}


@pytest.mark.parametrize(
    ("content", "least"),
    [
        ("", 0),
        ("a", 1),
        ("a" * 128, 1),
        ("a" * 129, 2),
        (" " * 10_000 + "a" + "\t\n" * 10_000, 1),
        ("\u200b\u200d" * 10_000, 0),
        ([{"type": "text", "text": "a" * 128}, {"type": "image_url", "image_url": {"url": "x" * 9999}}], 1),
        (None, 0),
    ],
)
def test_text_counts_by_the_longest_token_there_is(content: Any, least: int) -> None:
    """White space and characters without a shape, which tokenizers may drop, do not count; nor do images."""
    assert least_tokens("chat", chat(content)) == least


def test_messages_count_together() -> None:
    """A token could lie across two of them, so the sum is divided, not each."""
    assert least_tokens("chat", chat("a" * 64, "a" * 64)) == 1
    assert least_tokens("chat", chat("a" * 128, "a" * 128)) == 2


@pytest.mark.parametrize(
    ("prompt", "least"),
    [("a" * 129, 2), (["a", "a" * 300], 3), ([7] * 5, 5), ([[7] * 5, [7] * 9], 9)],
)
def test_of_several_prompts_the_longest_counts(prompt: Any, least: int) -> None:
    """Each is a request of its own to the model; tokens are counted as they are."""
    assert least_tokens("completions", {"prompt": prompt}) == least


def test_only_what_certainly_does_not_fit_is_refused() -> None:
    """Exactly the window fits; an unknown window lets everything through."""
    body = {"prompt": [1] * 11}
    check_window("completions", body, 11, 40)
    check_window("completions", body, None, 40)
    with pytest.raises(Refusal, match="at least 11") as caught:
        check_window("completions", body, 10, 40)
    assert (caught.value.status, caught.value.code) == (400, "context_length_exceeded")
