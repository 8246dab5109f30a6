"""The form of a probe: pure questions, and a pure judgement of what came back."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from regrade.probes.findings import Answered, Finding, Question, Seen
from regrade.probes.opening import Opening

__all__ = ["Findings", "Probe", "single"]

Findings: TypeAlias = Mapping[str, Finding]
"""Feature to what is known of it."""


@dataclass(frozen=True, slots=True)
class Probe:
    """One or a few questions about features of an endpoint.

    Attributes:
        features: What it finds out, in the order of the tables.
        questions: Builds the requests; knows the answer to the first, plain question. May be none.
        judge: Says what the answers show, one `Seen` a question.
        chat: Whether it rests on the answer to the plain question of the chat endpoint.
    """

    features: tuple[str, ...]
    questions: Callable[[Opening], Sequence[Question]]
    judge: Callable[[Opening, Sequence[Seen]], Findings]
    chat: bool = True


def single(
    feature: str,
    questions: Callable[[Opening], Sequence[Question]],
    judge: Callable[[Opening, Answered], Finding],
    *,
    chat: bool = True,
) -> Probe:
    """Return a probe of one feature with one question, whose judge sees answers alone."""

    def judged(opening: Opening, seen: Sequence[Seen]) -> Findings:
        silent = seen[0].without_answer()
        if silent is not None:
            return {feature: silent}
        assert seen[0].answered is not None
        return {feature: judge(opening, seen[0].answered)}

    return Probe((feature,), questions, judged, chat)
