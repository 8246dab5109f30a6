"""How much an endpoint takes in: what it says of itself, and prompts that grow until it refuses."""

from collections.abc import Sequence
from dataclasses import dataclass

from regrade.probes.findings import Finding, Question, unclear, yes
from regrade.probes.opening import Opening, limited

__all__ = ["Step", "context_finding", "cut_in_silence", "grown_prompt", "measured_window"]

_WORD = "sea "


def context_finding(window: int | None) -> Finding:
    """Return the finding for what the endpoint lists as its window."""
    if window is None:
        return unclear("the endpoint does not say")
    return yes(value=window)


def grown_prompt(opening: Opening, words: int) -> Question:
    """Return a question of about so many tokens: a short common word, over and over."""
    return limited(opening, 1, (_WORD * words).strip(), temperature=0)


@dataclass(frozen=True, slots=True)
class Step:
    """One prompt of the search.

    Attributes:
        words: How many were sent.
        tokens: How many tokens the endpoint counted; 0 where it counts none.
        refusal: Why it was not taken; empty where it was.
    """

    words: int
    tokens: int = 0
    refusal: str = ""

    @property
    def taken(self) -> bool:
        """Return whether the endpoint answered."""
        return not self.refusal


def cut_in_silence(steps: Sequence[Step]) -> bool:
    """Return whether a longer prompt was counted as no longer than the one before: the rest was dropped."""
    taken = [step for step in steps if step.taken and step.tokens]
    return len(taken) > 1 and taken[-1].words > taken[-2].words and taken[-1].tokens <= taken[-2].tokens


def measured_window(steps: Sequence[Step]) -> Finding:
    """Return what prompts that grew have shown."""
    taken = [step for step in steps if step.taken]
    refused = [step for step in steps if not step.taken]
    if cut_in_silence(taken):
        tokens = taken[-1].tokens
        return Finding("ignored", f"prompts are cut off in silence at {tokens:,} tokens", tokens)
    if not taken:
        return unclear(f"a prompt of {steps[0].words:,} words was refused: {refused[0].refusal}")
    most = max(step.tokens or step.words for step in taken)
    if not refused:
        return yes(f"at least {most:,} tokens", most)
    return yes(f"{most:,} tokens were taken; a longer prompt was not: {refused[-1].refusal}", most)
