"""What the judges of probes conclude from answers, without a server."""

from typing import Any

import pytest

from regrade.probes import (
    ALL_PROBES,
    Answered,
    Opening,
    Seen,
    Step,
    context_finding,
    cut_in_silence,
    measured_window,
)

PLAIN = "The sea is wide and blue today."


def chat(text: str, *, finish: str = "stop", usage: dict[str, int] | None = None, **message: Any) -> Seen:
    """Return a chat answer."""
    choice = {"message": {"content": text, **message}, "finish_reason": finish}
    return Seen(Answered(({"choices": [choice], "usage": usage},)))


def plain(text: str = PLAIN, **usage: int) -> Opening:
    """Return the answer to the plain question."""
    answered = chat(text, usage=usage or {"prompt_tokens": 9, "completion_tokens": 8}).answered
    assert answered is not None
    return Opening(answered)


def verdict(feature: str, *seen: Seen, opening: Opening | None = None) -> str:
    """Return what the probe of a feature concludes."""
    probe = next(one for one in ALL_PROBES if feature in one.features)
    return probe.judge(opening or plain(), seen)[feature].verdict


@pytest.mark.parametrize(
    ("texts", "expected"),
    [("aabc", "yes"), ("aaba", "yes"), ("abcd", "ignored"), ("aaaa", "?"), (["", "", "", ""], "?")],
)
def test_a_seed_is_honoured_when_it_repeats_and_another_differs(texts: Any, expected: str) -> None:
    """Same seed same text and another text for another seed: three outcomes, none of them by default."""
    assert verdict("seed", *map(chat, texts)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [("The sea is wide", "yes"), ("The sea is wide ", "yes"), (PLAIN, "ignored"), ("A lake.", "?")],
)
def test_a_stop_string_cuts_the_text_or_not(text: str, expected: str) -> None:
    """The stop string is taken from the plain answer, so a text that goes past it shows what was ignored."""
    assert verdict("stop", chat(text)) == expected


def test_nothing_to_stop_in_is_not_a_no() -> None:
    """A model that writes nothing leaves `stop` unknown, and no request is made for it."""
    probe = next(one for one in ALL_PROBES if "stop" in one.features)
    assert probe.questions(plain("")) == []
    assert probe.judge(plain(""), [])["stop"].verdict == "?"


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        (chat("The", finish="length"), "yes"),
        (chat("The", usage={"completion_tokens": 1}), "yes"),
        (chat(PLAIN, usage={"completion_tokens": 8}), "ignored"),
        (chat(PLAIN), "ignored"),
        (Seen(refusal="no"), "no"),
        (Seen(trouble="timeout"), "?"),
    ],
)
def test_max_tokens_shortens_the_answer_or_not(seen: Seen, expected: str) -> None:
    """By the server's count, its finish reason, or the text itself."""
    assert verdict("max_tokens", seen) == expected


def test_a_refused_max_tokens_stays_a_no_where_its_successor_works() -> None:
    """`max_completion_tokens` answers the other probes; the feature asked about is refused all the same."""
    opening = Opening(plain().answered, "max_completion_tokens", "use max_completion_tokens")
    probe = next(one for one in ALL_PROBES if "max_tokens" in one.features)
    assert "max_completion_tokens" in probe.questions(opening)[0].body
    assert probe.judge(opening, [chat("The", finish="length")])["max_tokens"].verdict == "no"


def logprobs(*top: int) -> Seen:
    """Return an answer with so many top log-probabilities for each token; none at all without."""
    content = [{"token": "a", "logprob": -0.1, "top_logprobs": [{}] * count} for count in top]
    return Seen(Answered(({"choices": [{"message": {"content": "a"}, "logprobs": {"content": content}}]},)))


@pytest.mark.parametrize(
    ("seen", "given", "top"),
    [
        (logprobs(20), "yes", "yes"),
        (logprobs(5), "yes", "yes"),
        (logprobs(0), "yes", "ignored"),
        (logprobs(), "ignored", "ignored"),
        (chat("a"), "ignored", "ignored"),
        (Seen(refusal="not supported"), "no", "no"),
    ],
)
def test_logprobs_that_are_dropped_in_silence_are_marked(seen: Seen, given: str, top: str) -> None:
    """A server that accepts `logprobs` and sends none is the worst case, and not a no."""
    assert (verdict("logprobs", seen), verdict("top_logprobs", seen)) == (given, top)


@pytest.mark.parametrize(
    ("text", "finish", "expected"),
    [
        ('{"colour": "vermilion"}', "stop", "yes"),
        ('{"colour": "blue"}', "stop", "ignored"),
        ("The sea is blue.", "stop", "ignored"),
        ('{"col', "length", "?"),
        ("", "length", "?"),
    ],
)
def test_a_schema_is_enforced_or_not(text: str, finish: str, expected: str) -> None:
    """The question has nothing to do with the schema, so an answer of its form was made to have it."""
    assert verdict("schema", chat(text, finish=finish)) == expected


def test_a_call_or_none() -> None:
    """Tools are honoured when a call comes back."""
    assert verdict("tools", chat("", tool_calls=[{"id": "1"}])) == "yes"
    assert verdict("tools", chat("It rains.")) == "ignored"


def test_streams_are_told_from_whole_answers() -> None:
    """A server that answers whole has ignored `stream`; usage is looked for in every chunk."""
    pieces = ({"choices": [{"delta": {"content": "a"}}]}, {"choices": [], "usage": {"completion_tokens": 1}})
    assert verdict("stream", Seen(Answered(pieces))) == "yes"
    assert verdict("stream_usage", Seen(Answered(pieces))) == "yes"
    assert verdict("stream_usage", Seen(Answered(pieces[:1]))) == "ignored"
    assert verdict("stream", chat("a")) == "ignored"
    assert verdict("stream_usage", chat("a")) == "?"


def test_a_system_message_adds_tokens_or_was_dropped() -> None:
    """The server's own count tells whether the message reached the model."""
    assert verdict("system", chat("a", usage={"prompt_tokens": 20})) == "yes"
    assert verdict("system", chat("a", usage={"prompt_tokens": 9})) == "ignored"
    assert verdict("system", chat("a")) == "?"


def echoed(*texts: str, values: list[float | None] | None = None) -> Seen:
    """Return a completions answer with a choice a text."""
    found = {"token_logprobs": [None, -1.0, -2.0] if values is None else values}
    choices = [{"index": at, "text": text, "logprobs": found} for at, text in enumerate(texts)]
    return Seen(Answered(({"choices": choices[::-1]},)))


BOTH = ("The capital of Norway is Oslo.", "The capital of Norway is blue.")


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        (echoed(*BOTH), "yes"),
        (echoed(BOTH[0]), "ignored"),
        (echoed(" and", " and"), "ignored"),
        (echoed(*BOTH, values=[-1.0]), "ignored"),
        (echoed(*BOTH, values=[None, None, -1.0]), "?"),
        (Seen(refusal="echo is not supported"), "no"),
    ],
)
def test_prompt_log_probabilities_need_the_prompt_and_a_number_for_each_token(
    seen: Seen, expected: str
) -> None:
    """An answer without the prompt in front never counts as one that was scored."""
    assert verdict("prompt_logprobs", seen) == expected


def test_reasoning_is_apart_or_in_the_answer() -> None:
    """Either field of the field's servers counts; think tags in the text do not."""
    for name in ("reasoning", "reasoning_content"):
        message = {"content": "a", name: "because"}
        answered = Answered(({"choices": [{"message": message}]},))
        assert verdict("reasoning", opening=Opening(answered)) == "yes"
    assert verdict("reasoning", opening=plain("<think>hm</think> a")) == "no"
    assert verdict("reasoning") == "?"


def test_a_window_is_bounded_from_both_sides() -> None:
    """What was taken bounds it from below; a prompt that is cut in silence is the worst case."""
    steps = [Step(64, 70), Step(128, 134), Step(256, refusal="too long")]
    assert measured_window(steps).value == 134
    assert measured_window(steps).verdict == "yes"
    cut = [Step(64, 70), Step(128, 100), Step(256, 100)]
    assert cut_in_silence(cut)
    assert (measured_window(cut).verdict, measured_window(cut).value) == ("ignored", 100)
    assert measured_window([Step(64, refusal="no")]).verdict == "?"
    assert (context_finding(None).verdict, context_finding(4096).value) == ("?", 4096)
