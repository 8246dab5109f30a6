"""What each attempt at a request came to, and how long the next one was waited for."""

from dataclasses import dataclass, replace

from regrade.errors import ProviderError
from regrade.types import Attempt, FailureKind, WaitReason

__all__ = ["AttemptLog"]

_FIRST = 10
_LAST = 10
_MESSAGE = 160
"""Characters of each failure's message: the last one's stands whole in the outcome."""


@dataclass(slots=True)
class AttemptLog:
    """Notes the attempts at one request from its first failure on; what succeeds at once needs none.

    Of very many attempts the first and the last ten are kept.

    Attributes:
        since: When the first attempt was sent, on the executor's clock.
        attempts: What is kept, in order.
        asked: Whether the endpoint named the wait after the last failure.
    """

    since: float
    attempts: tuple[Attempt, ...] = ()
    asked: bool = False

    def failed(self, n: int, began: float, ended: float, error: ProviderError) -> None:
        """Note an attempt that failed."""
        kind: FailureKind = error.kind  # type: ignore[assignment] # providers name kinds of FailureKind
        self.asked = error.retry_after_s is not None
        self._add(
            replace(
                self._attempt(n, began, ended), kind=kind, status=error.status, message=_short(error.message)
            )
        )

    def answered(self, n: int, began: float, ended: float) -> None:
        """Note the attempt that had an answer."""
        self._add(self._attempt(n, began, ended))

    def waited(self, seconds: float) -> None:
        """Note how long the next attempt was waited for since the last one failed."""
        why: WaitReason = "retry_after" if self.asked else "backoff"
        self._amend(replace(self.attempts[-1], waited_s=_rounded(seconds), why=why))

    def held(self, seconds: float) -> None:
        """Note how long it was then held back for the endpoint's rate limit."""
        self._amend(replace(self.attempts[-1], held_s=_rounded(seconds)))

    def _attempt(self, n: int, began: float, ended: float) -> Attempt:
        return Attempt(n, _rounded(began - self.since), _rounded(ended - began))

    def _add(self, attempt: Attempt) -> None:
        kept = self.attempts
        if len(kept) == _FIRST + _LAST:
            kept = (*kept[:_FIRST], *kept[_FIRST + 1 :])
        self.attempts = (*kept, attempt)

    def _amend(self, attempt: Attempt) -> None:
        self.attempts = (*self.attempts[:-1], attempt)


def _rounded(seconds: float) -> float:
    return round(seconds, 4)


def _short(message: str) -> str:
    return message if len(message) <= _MESSAGE else f"{message[:_MESSAGE]} ..."
