"""What a word was found in."""

from dataclasses import dataclass

from regrade.views.frame import LinkView

__all__ = ["FoundView", "SearchView"]


@dataclass(frozen=True, slots=True)
class FoundView:
    """Findings of one kind.

    Attributes:
        kind: "Evals", "Models" or "Runs".
        links: The findings, the best first.
        told: A remark on each; empty where there is none.
        count: How many there are in all.
    """

    kind: str
    links: tuple[LinkView, ...]
    told: tuple[str, ...]
    count: int


@dataclass(frozen=True, slots=True)
class SearchView:
    """All findings.

    Attributes:
        word: What was searched for.
        groups: Kinds with a finding.
        samples: Where its samples are searched; None without a run.
    """

    word: str
    groups: tuple[FoundView, ...]
    samples: LinkView | None
