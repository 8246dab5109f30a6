"""Multiple choice by numbers: which option is likeliest, by its whole text or by the first token."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from regrade.errors import ScorerError
from regrade.types import Choices, Completion, OptionLogprob, Score, TokenLogprob

__all__ = ["by_first_token", "by_likelihood"]

_BEFORE = " \t\n([{\"'*`\u2581\u0120"  # the last two: how some servers write a leading space
_AFTER = " \t\n)]}.:,;\"'*`"


def by_likelihood(choices: Choices, completion: Completion, wanted: Sequence[str]) -> Mapping[str, Score]:
    """Return accuracy by likelihood, by likelihood per character and per byte, and the target's share.

    Ties go to the first option.

    Args:
        choices: The options.
        completion: With the likelihood of each.
        wanted: Letters of the right ones.

    Raises:
        ScorerError: When the likelihoods are not those of these options.
    """
    found = completion.option_logprobs
    if len(found) != len(choices.options):
        raise ScorerError(f"the answer holds likelihoods of {len(found)} of {len(choices.options)} options")
    letters = [option.letter for option in choices.options]
    answers = [option.answer for option in choices.options]
    sums = [one.logprob for one in found]
    chosen = letters[_best(sums)]
    shares = _shares(sums)
    probability = sum(share for letter, share in zip(letters, shares, strict=True) if letter in wanted)
    by_name = dict(zip(letters, found, strict=True))
    return {
        "value": _main(chosen, wanted, lambda letter: _described(by_name[letter])),
        "accuracy_norm": _right(letters[_best(_each(sums, [len(one) for one in answers]))], wanted),
        "accuracy_bytes": _right(letters[_best(_each(sums, [len(one.encode()) for one in answers]))], wanted),
        "target_probability": Score(min(probability, 1.0)),
    }


def by_first_token(choices: Choices, completion: Completion, wanted: Sequence[str]) -> Mapping[str, Score]:
    """Return accuracy by the first token, the target's share among the options, and what share they have.

    An option has the probability of every token that begins its answer and no other option's: "A", " A" and
    "(A" alike. Options that are not among the tokens shown count as 0, which the reason says.

    Args:
        choices: The options.
        completion: With the likeliest first tokens.
        wanted: Letters of the right ones.

    Raises:
        ScorerError: When the answer holds no such tokens.
    """
    if not completion.first_tokens:
        raise ScorerError("the answer holds no likeliest first tokens")
    shown = _Shown.of(choices, completion.first_tokens)
    if not shown.mass and shown.shared is None:
        reason = f"none of the options begins with one of the {shown.count} likeliest first tokens"
        return _untold(reason, wanted)
    chosen = max(shown.mass, key=lambda letter: shown.mass[letter], default=wanted[0])  # the first of equals
    if shown.shared is not None and shown.shared[1] > shown.mass.get(chosen, 0.0):
        token, mass = shown.shared
        return _untold(f"the first token {token!r} ({mass:.1%}) begins more than one option", wanted)
    total = sum(shown.mass.values())
    target = sum(shown.mass.get(letter, 0.0) for letter in wanted)
    return {
        "value": _main(chosen, wanted, shown.described),
        "target_probability": Score(min(target / total, 1.0), reason=shown.unseen(wanted)),
        "option_mass": Score(min(total, 1.0)),
    }


@dataclass(frozen=True, slots=True)
class _Shown:
    """What the first tokens say of the options.

    Attributes:
        mass: Letter to probability, in the order of the options; options that are not shown are not in it.
        count: How many tokens were shown.
        least: Probability of the least likely of them.
        shared: The likeliest token that begins several options, and its probability.
    """

    mass: Mapping[str, float]
    count: int
    least: float
    shared: tuple[str, float] | None = None

    @classmethod
    def of(cls, choices: Choices, tokens: Sequence[TokenLogprob]) -> "_Shown":
        mass: dict[str, float] = {}
        shared: tuple[str, float] | None = None
        for one in tokens:
            letters, share = _begun(one.token, choices), math.exp(min(one.logprob, 0.0))
            if len(letters) == 1:
                mass[letters[0]] = mass.get(letters[0], 0.0) + share
            elif letters and (shared is None or share > shared[1]):
                shared = one.token, share
        in_order = {one.letter: mass[one.letter] for one in choices.options if one.letter in mass}
        return cls(in_order, len(tokens), math.exp(min(one.logprob for one in tokens)), shared)

    def described(self, letter: str) -> str:
        return f"{self.mass[letter]:.1%}" if letter in self.mass else self.bound

    @property
    def bound(self) -> str:
        return f"not among the {self.count} likeliest first tokens: none of its own above {self.least:.2g}"

    def unseen(self, wanted: Sequence[str]) -> str:
        missing = [letter for letter in wanted if letter not in self.mass]
        return f"{missing[0]} is {self.bound}" if len(missing) == len(wanted) else ""


def _untold(reason: str, wanted: Sequence[str]) -> Mapping[str, Score]:
    """Return what is said where the first tokens do not tell which option is meant."""
    nothing = Score(0.0, None, wanted[0], parsed=False, reason=reason)
    return {"value": nothing, "target_probability": Score(0.0), "option_mass": Score(0.0)}


def _begun(token: str, choices: Choices) -> list[str]:
    """Return the options whose answers a token begins, or the one that it is."""
    bare = token.lstrip(_BEFORE).rstrip(_AFTER)
    if not bare:
        return []
    same = [one.letter for one in choices.options if _form(one.answer, one.answer) == _form(bare, one.answer)]
    begun = [
        one.letter
        for one in choices.options
        if _form(one.answer, one.answer).startswith(_form(bare, one.answer))
    ]
    return same or begun


def _form(text: str, answer: str) -> str:
    """Return a text for comparing: a letter must stand as it is, since "a" begins many an answer."""
    return text if len(answer) == 1 else text.casefold()


def _main(chosen: str, wanted: Sequence[str], described: Callable[[str], str]) -> Score:
    expected = chosen if chosen in wanted else wanted[0]
    reason = ""
    if chosen != expected:
        reason = f"chose {chosen} ({described(chosen)}), expected {expected} ({described(expected)})"
    return Score(float(chosen == expected), chosen, expected, reason=reason)


def _right(chosen: str, wanted: Sequence[str]) -> Score:
    return Score(float(chosen in wanted), reason="" if chosen in wanted else f"chose {chosen}")


def _described(one: OptionLogprob) -> str:
    return f"log-likelihood {one.logprob:.2f} of {one.tokens} token{'s' * (one.tokens != 1)}"


def _best(values: Sequence[float]) -> int:
    return max(range(len(values)), key=lambda place: values[place])  # the first of equals


def _each(sums: Sequence[float], lengths: Sequence[int]) -> list[float]:
    return [value / max(length, 1) for value, length in zip(sums, lengths, strict=True)]


def _shares(sums: Sequence[float]) -> list[float]:
    top = max(sums)
    weights = [math.exp(value - top) for value in sums]
    return [weight / sum(weights) for weight in weights]
