"""Which models of a run answered anything, and why the others did not."""

from dataclasses import dataclass, field

from regrade.types import Failure, Outcome

__all__ = ["Heard"]


@dataclass(slots=True)
class Heard:
    """Counts the outcomes of each model; holds one failure a model."""

    _answered: set[str] = field(default_factory=set)
    _failed: dict[str, int] = field(default_factory=dict)
    _last: dict[str, Failure] = field(default_factory=dict)

    def count(self, outcome: Outcome) -> None:
        """Take one finished request into account."""
        name = outcome.request.model.name
        if outcome.failure is None:
            self._answered.add(name)
        else:
            self._failed[name] = self._failed.get(name, 0) + 1
            self._last[name] = outcome.failure

    @property
    def silent(self) -> dict[str, str]:
        """Return the models of which every request failed, each with how many and why the last one did."""
        return {name: self._why(name) for name in self._failed if name not in self._answered}

    def _why(self, name: str) -> str:
        last = self._last[name]
        return f"all {self._failed[name]:,} requests failed, the last by {last.kind}: {last.message}"
