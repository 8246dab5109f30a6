"""Which samples of a run are wanted, and the SQL that picks them; values are bound, never pasted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from regrade.errors import UsageError, did_you_mean
from regrade.jsonio import dumps

__all__ = [
    "MATCHES",
    "OUTCOMES",
    "Condition",
    "LabelCell",
    "SampleOutcome",
    "SampleQuery",
    "ScoreRange",
    "add_outcomes",
    "add_text",
    "conditions_of",
    "key_hash",
    "metadata_field",
    "outcome_name",
    "outcome_terms",
    "score_column",
    "text_pattern",
]

SampleOutcome: TypeAlias = Literal["right", "wrong", "unparsed", "failure", "unscored", "flaky"]

OUTCOMES: tuple[SampleOutcome, ...] = ("right", "wrong", "unparsed", "failure", "unscored", "flaky")
"""What a sample can have come to, by the main scores of all scorers or of one.

`right`: scored, every score is 1 or more, no failure. `wrong`: a score is below 1. `unparsed`: no answer was
found in the text; mostly wrong as well. `failure`: no answer came, or a scorer failed. `unscored`: neither
right, wrong nor a failure. `flaky`: right in one epoch and wrong in another by the same scorer.
"""


@dataclass(frozen=True, slots=True)
class ScoreRange:
    """Main scores of one scorer between two ends, both included; None leaves an end open."""

    scorer: str
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class LabelCell:
    """A cell of a confusion matrix: where a scorer expected one label and found another.

    Attributes:
        scorer: Whose labels.
        expected: The right label.
        found: The one found; None where the answer holds none.
    """

    scorer: str
    expected: str
    found: str | None


@dataclass(frozen=True, slots=True)
class SampleQuery:
    """Which samples are wanted: those that fit all of it; what is empty asks for nothing.

    Attributes:
        evals: Of one of these evals.
        prompts: Of one of these prompts.
        models: Of one of these models.
        samples: With one of these ids.
        outcomes: Of one of these outcomes.
        by: The scorer that right, wrong and flaky are meant by; empty: all, as `regrade show --wrong`.
        failure_kinds: With one of these failures, of the request or of a scorer.
        scores: With scores in these ranges.
        labels: In this cell of a confusion matrix.
        metadata: With these values of metadata fields, as texts; None asks for samples without the field.
        was_right: Only those that were right in the run or baseline that the queries are held against.
        text: In answer, input, reasoning, id or a reason of a score; upper and lower case alike, every
            character stands for itself.
    """

    evals: tuple[str, ...] = ()
    prompts: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    samples: tuple[str, ...] = ()
    outcomes: tuple[SampleOutcome, ...] = ()
    by: str = ""
    failure_kinds: tuple[str, ...] = ()
    scores: tuple[ScoreRange, ...] = ()
    labels: LabelCell | None = None
    metadata: tuple[tuple[str, str | None], ...] = ()
    was_right: bool = False
    text: str = ""

    @property
    def asks_for_keys_alone(self) -> bool:
        """Return whether it is evals, prompts, models and ids that are asked for and nothing else."""
        return self == SampleQuery(self.evals, self.prompts, self.models, self.samples)


@dataclass(slots=True)
class Condition:
    """Terms that all must hold, with the values of their question marks in order.

    Attributes:
        terms: In SQL.
        values: Of all terms.
        needs: What has to live as long as this, since a term names a relation of it.
    """

    terms: list[str] = field(default_factory=list)
    values: list[Any] = field(default_factory=list)
    needs: object = None

    def add(self, term: str, *values: Any) -> None:
        """Ask for one thing more."""
        self.terms.append(f"({term})")
        self.values.extend(values)

    @property
    def sql(self) -> str:
        """Return the whole, for `where`."""
        return " and ".join(self.terms) or "true"


_NAMED = {"evals": "eval", "prompts": "prompt", "models": "model", "samples": "sample_id"}
MATCHES = "regexp_matches({}, ?, 'i')"
"""Whether a column holds a text, upper and lower case alike; half the time of `ilike`."""
_LONGEST = 1000
_SHORTEN = "take a part of it"
_ASCII = 127
_SEARCHED = ("text", "input", "reasoning", "sample_id")


def outcome_terms(scores: Mapping[str, str], by: str = "") -> dict[SampleOutcome, str]:
    """Return SQL for each outcome over the relation `samples`.

    Args:
        scores: Columns of the relation by scorer.
        by: The scorer that is meant; empty: all of them.

    Raises:
        UsageError: A scorer that the run does not have.
    """
    columns = [score_column(by, scores)] if by else list(scores.values())
    wrong = " or ".join(f"coalesce({one} < 1, false)" for one in columns) or "false"
    scored = " or ".join(f"{one} is not null" for one in columns) or "false"
    mixed = " or ".join(columns) or "false"
    return {
        "right": f"({scored}) and not ({wrong}) and not is_failure",
        "wrong": f"({wrong})",
        "unparsed": "not coalesce(parsed, true)",
        "failure": "is_failure",
        "unscored": f"not ({scored}) and not is_failure",
        "flaky": f"{key_hash()} in (select key from flaky where {mixed})",
    }


def outcome_name(terms: Mapping[SampleOutcome, str]) -> str:
    """Return SQL for the first of `failure`, `wrong` and `right` that a sample is, else `unscored`."""
    cases = " ".join(f"when {terms[name]} then '{name}'" for name in ("failure", "wrong", "right"))
    return f"case {cases} else 'unscored' end"


def key_hash(*more: str) -> str:
    """Return SQL for a hash of the key of an answer, the same in every table."""
    return f"hash({', '.join(('eval', 'prompt', 'model', 'sample_id', *more))})"


def metadata_field(name: str) -> tuple[str, list[str]]:
    """Return SQL for a field of the metadata as text, found by its name or by its dots, and the values."""

    def pointer(*parts: str) -> str:
        return "".join("/" + part.replace("~", "~0").replace("/", "~1") for part in parts)

    whole, dotted = pointer(name), pointer(*name.split("."))
    if whole == dotted:
        return "json_extract_string(metadata, ?)", [whole]
    return "coalesce(json_extract_string(metadata, ?), json_extract_string(metadata, ?))", [whole, dotted]


def conditions_of(query: SampleQuery, scores: Mapping[str, str]) -> Condition:
    """Return what the rows of the relation `samples` have to fulfil, but for outcomes and text.

    Args:
        query: What is wanted.
        scores: Columns of the relation by scorer.

    Raises:
        UsageError: A scorer that the run does not have.
    """
    found = Condition()
    for attribute, column in _NAMED.items():
        if names := getattr(query, attribute):
            found.add(f"{column} in ({_marks(names)})", *names)
    for one in query.scores:
        _add_range(found, one, score_column(one.scorer, scores))
    for name, value in query.metadata:
        sql, pointers = metadata_field(name)
        if value is not None and dumps(value)[1:-1] == value:
            # A look at the bytes spares most rows the reading of their JSON.
            found.add("contains(metadata, ?)", value)
        found.add(f"{sql} is not distinct from ?", *pointers, value)
    if query.labels is not None:
        _add_labels(found, query.labels)
    if query.was_right:
        found.add(f"{key_hash()} in (select key from was_right)")
    return found


def add_outcomes(found: Condition, query: SampleQuery, scores: Mapping[str, str]) -> None:
    """Ask for the outcomes and kinds of failure as well.

    Raises:
        UsageError: An outcome that there is not.
    """
    if query.outcomes:
        terms = outcome_terms(scores, query.by)
        unknown = [one for one in query.outcomes if one not in terms]
        if unknown:
            hint = did_you_mean(unknown[0], OUTCOMES) or f"one of: {', '.join(OUTCOMES)}"
            raise UsageError(f'no outcome "{unknown[0]}"', hint=hint)
        found.add(" or ".join(f"({terms[one]})" for one in query.outcomes))
    if query.failure_kinds:
        marks = _marks(query.failure_kinds)
        found.add(
            f"failure_kind in ({marks}) or {key_hash('epoch')} in "
            f"(select key from scorer_failures where kind in ({marks}))",
            *query.failure_kinds,
            *query.failure_kinds,
        )


def add_text(found: Condition, text: str, reasons: str) -> None:
    """Ask for a text as well.

    Args:
        found: Added to.
        text: To be found.
        reasons: A relation with the keys of the answers that have it in a reason; empty where none has.
    """
    terms = [MATCHES.format(column) for column in _SEARCHED]
    values = [text_pattern(text)] * len(terms)
    if reasons:
        terms.append(f"{key_hash('epoch')} in (select key from {reasons})")
    found.add(" or ".join(terms), *values)


def text_pattern(text: str) -> str:
    """Return the expression of texts that hold a text, in which every character stands for itself.

    Raises:
        UsageError: When it is too long to search for.
    """
    if len(text) > _LONGEST:
        raise UsageError(f"a text of {len(text):,} characters is too long to search for", hint=_SHORTEN)
    return "".join(one if one.isalnum() or ord(one) > _ASCII else f"\\x{ord(one):02x}" for one in text)


def score_column(scorer: str, scores: Mapping[str, str]) -> str:
    """Return the column of a scorer's main score.

    Raises:
        UsageError: When the run has no such scorer.
    """
    if scorer not in scores:
        hint = did_you_mean(scorer, scores) or f"it has: {', '.join(scores)}"
        raise UsageError(f'the run has no scorer "{scorer}"', hint=hint)
    return scores[scorer]


def _add_range(found: Condition, one: ScoreRange, column: str) -> None:
    for sign, end in ((">=", one.low), ("<=", one.high)):
        if end is not None:
            found.add(f"{column} {sign} ?", end)


def _marks(values: Sequence[Any]) -> str:
    return ", ".join("?" * len(values))


def _add_labels(found: Condition, cell: LabelCell) -> None:
    found.add(
        f"{key_hash('epoch')} in (select {key_hash('epoch')} from scores where scorer = ? and metric = ? "
        "and expected = ? and label is not distinct from ? and failure_kind is null)",
        cell.scorer,
        cell.scorer,
        cell.expected,
        cell.found,
    )
