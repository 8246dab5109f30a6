"""Multiple choice: the options of a request, and how likely each of them is."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

__all__ = ["ChoiceMode", "Choices", "Option", "OptionLogprob", "TokenLogprob"]

ChoiceMode: TypeAlias = Literal["loglikelihood", "first_token", "text"]
"""How the answer is found: every option's likelihood, the first token's, or what the model writes."""


@dataclass(frozen=True, slots=True)
class Option:
    """One of the answers to choose from.

    Attributes:
        letter: Its name, A to Z, or its place (from 1) where there are more.
        text: What it says.
        answer: What the model is to write for it: its text, or its letter.
    """

    letter: str
    text: str
    answer: str


@dataclass(frozen=True, slots=True)
class Choices:
    """The options of one sample, and how the answer is found among them.

    Attributes:
        mode: How.
        options: In their order; ties go to the first.
        separator: What stands between the prompt and an option's answer.
    """

    mode: ChoiceMode
    options: tuple[Option, ...]
    separator: str = " "

    @property
    def continuations(self) -> tuple[str, ...]:
        """Return the texts that are held against each other after the prompt; none where the model writes."""
        if self.mode != "loglikelihood":
            return ()
        return tuple(self.separator + option.answer for option in self.options)


@dataclass(frozen=True, slots=True)
class OptionLogprob:
    """How likely an option is after the prompt.

    Attributes:
        logprob: Natural logarithm of the probability of all of its tokens together.
        tokens: How many they are.
        greedy: Whether each of them was the likeliest at its place; None where the endpoint does not say.
    """

    logprob: float
    tokens: int
    greedy: bool | None = None


@dataclass(frozen=True, slots=True)
class TokenLogprob:
    """One of the likeliest first tokens of an answer."""

    token: str
    logprob: float
