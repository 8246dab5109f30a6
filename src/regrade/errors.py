"""Every error that regrade raises on purpose, and where in a file it points.

RegradeError                       one clear message: what is wrong, where, what to do
|-- UsageError                     the command or a call is wrong                     exit 2
|   |-- SpecError                  one or many problems in spec files                 exit 2
|   |-- DatasetError               rows that cannot be read or mapped                 exit 2
|   |-- TemplateError              a prompt or expression that cannot be rendered     exit 2
|   `-- PluginError                a loader, provider, scorer ... unknown or invalid  exit 2
|-- MissingExtraError              an optional package is not installed               exit 1
|-- StoreError                     a run folder that cannot be read or written        exit 1
|   |-- RunLockedError             another process writes to the run folder           exit 1
|   `-- QueryStoppedError          a reader did not wait for the answer               exit 1
|-- GateError                      a gate over models that all were silent           exit 1
|-- GatewayError                   the gateway or a demo model does not start         exit 1
|-- ProviderError                  one request failed (becomes a failure row)         exit 1
|-- ScorerError                    one answer could not be scored (a failure row)     exit 1
`-- RunStoppedError                the run cannot go on (authentication, disk full)   exit 1
"""

import difflib
from collections.abc import Iterable
from dataclasses import dataclass

__all__ = [
    "BadRows",
    "CassetteMiss",
    "DatasetError",
    "GateError",
    "GatewayError",
    "Location",
    "MissingExtraError",
    "PluginError",
    "Problem",
    "ProviderError",
    "QueryStoppedError",
    "RegradeError",
    "RunLockedError",
    "RunStoppedError",
    "ScorerError",
    "SpecError",
    "StoreError",
    "TemplateError",
    "UsageError",
    "did_you_mean",
]


_LINE = 100
"""Characters of a user's line that are shown: a data file may be one line of a megabyte."""

_TOLD_BAD_ROWS = 5
_MOST_BAD_ROWS = 1_000
"""Rows that do not fit that are looked for: where a column is misnamed, none of a million fits."""


def did_you_mean(name: str, known: Iterable[str]) -> str | None:
    """Return 'did you mean "x"?' for the nearest known name, or None when nothing is near."""
    near = difflib.get_close_matches(name, list(known), n=1, cutoff=0.6)
    return f'did you mean "{near[0]}"?' if near else None


@dataclass(frozen=True, slots=True)
class Location:
    """A place in a user's file; line and column count from 1."""

    file: str
    line: int | None = None
    column: int | None = None

    def __str__(self) -> str:
        parts = [self.file, *(str(n) for n in (self.line, self.column) if n is not None)]
        return ":".join(parts)


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong in a user's file.

    Attributes:
        message: What is wrong, in one sentence.
        where: The place it points to, when there is one.
        source: The offending line as written, shown above a caret.
        hint: What to do about it ("did you mean ...").
    """

    message: str
    where: Location | None = None
    source: str | None = None
    hint: str | None = None

    def __str__(self) -> str:
        lines = [f"{self.where}: {self.message}" if self.where else self.message]
        if self.source is not None:
            column = self.where.column if self.where else None
            shown, place = _around(self.source.rstrip("\r\n").replace("\t", " "), column or 1)
            lines.append(f"    {shown}")
            if column:
                lines.append("    " + " " * (place - 1) + "^")
        if self.hint:
            lines.append(f"  {self.hint}")
        return "\n".join(lines)


def _around(line: str, column: int) -> tuple[str, int]:
    """Return what of a line fits beside its column, and where the column stands in that."""
    if len(line) <= _LINE:
        return line, column
    begin = max(0, min(column - 1 - _LINE // 3, len(line) - _LINE))
    shown = line[begin : begin + _LINE]
    before, after = "..." if begin else "", "..." if begin + _LINE < len(line) else ""
    return f"{before}{shown}{after}", column - begin + len(before)


class RegradeError(Exception):
    """The root of the tree: a message for people, its place, and the exit code it maps to.

    Args:
        message: What is wrong, in one sentence.
        where: The place in a user's file.
        hint: What to do about it.
    """

    exit_code = 1

    def __init__(self, message: str, *, where: Location | None = None, hint: str | None = None) -> None:
        self.message = message
        self.where = where
        self.hint = hint
        super().__init__(message)

    def __str__(self) -> str:
        return str(Problem(self.message, self.where, hint=self.hint))


class UsageError(RegradeError):
    """The command or call asks for something that does not exist or does not fit."""

    exit_code = 2


class SpecError(UsageError):
    """One or many problems in spec files, all reported at once."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems
        super().__init__("\n".join(str(problem) for problem in problems))

    def __str__(self) -> str:
        return self.message


class DatasetError(UsageError):
    """Rows that cannot be read, decoded or mapped to samples.

    Attributes:
        rows: The rows that do not fit, where it is about several.
    """

    rows: "BadRows | None" = None


class BadRows:
    """Collects what is wrong with the rows of a dataset in one pass; holds no more than the first few.

    Args:
        name: Of the dataset or its eval; stands before the message.
        what: What the rows are called.
    """

    def __init__(self, name: str, what: str = "rows") -> None:
        self._name = name
        self._what = what
        self._first: list[DatasetError] = []
        self._count = 0

    def __bool__(self) -> bool:
        """Return whether anything was noted."""
        return self._count > 0

    @property
    def is_full(self) -> bool:
        """Return whether so many rows do not fit that nobody needs their exact number."""
        return self._count >= _MOST_BAD_ROWS

    def add(self, error: DatasetError) -> None:
        """Note one row that does not fit, or all that an error is about."""
        more = error.rows
        self._count += more._count if more else 1  # noqa: SLF001 - of the same class
        self._first += more._first if more else [error]  # noqa: SLF001
        del self._first[_TOLD_BAD_ROWS:]

    def check(self) -> None:
        """Refuse the dataset if anything was noted.

        Raises:
            DatasetError: As `error`.
        """
        if self:
            raise self.error()

    def error(self) -> DatasetError:
        """Return the error of the one row as it is; of several the first few, and how many more there are."""
        if self._count == 1:
            return self._first[0]
        most = "at least " if self.is_full else ""
        lines = [self._line(error) for error in self._first]
        more = self._count - len(lines)
        lines += [f"... and {most}{more:,} more"] if more else []
        hints = dict.fromkeys(error.hint for error in self._first if error.hint)
        found = DatasetError(
            "\n  ".join([f"{self._name}: {most}{self._count:,} {self._what} do not fit", *lines]),
            hint="\n  ".join([*hints][:1]) or None,
        )
        found.rows = self
        return found

    def _line(self, error: DatasetError) -> str:
        place = f"{error.where}: " if error.where else ""
        return place + error.message.removeprefix(f"{self._name}: ")


class TemplateError(UsageError):
    """A template or expression that cannot be compiled or rendered."""


class PluginError(UsageError):
    """A plug-in that is unknown, cannot be imported or does not keep its protocol."""


class MissingExtraError(RegradeError):
    """An optional package is needed and not installed; the hint names the extra."""

    def __init__(self, package: str, extra: str, purpose: str) -> None:
        super().__init__(
            f"{purpose} needs the package {package!r}, which is not installed",
            hint=f"install it with: pip install 'regrade[{extra}]'",
        )


class StoreError(RegradeError):
    """A run folder that cannot be found, read or written."""


class RunLockedError(StoreError):
    """Another process is writing to the run folder."""


class CassetteMiss(StoreError):  # noqa: N818 - a miss is what everybody calls it
    """A cassette does not hold the request; the message names the nearest one that it does."""


class QueryStoppedError(StoreError):
    """A query over a run was stopped by whoever asked it."""


class GateError(RegradeError):
    """A run cannot be judged, since none of its models answered anything."""


class GatewayError(RegradeError):
    """The gateway or one of its demo models does not start or stopped."""


class ProviderError(RegradeError):
    """One request failed; the executor retries it or records a failure row.

    Attributes:
        kind: One of `types.FailureKind`, such as "rate_limit" or "timeout".
        status: The HTTP status, when there was one.
        retryable: Whether sending the same request again can help.
        retry_after_s: The server's own wish in seconds, when it sent one.
        sent: Whether the request may have reached the server; False only where nothing of it can have.
    """

    def __init__(
        self,
        message: str,
        *,
        kind: str,
        status: int | None = None,
        retryable: bool = False,
        retry_after_s: float | None = None,
        sent: bool = True,
    ) -> None:
        super().__init__(message)
        self.kind = kind
        self.status = status
        self.retryable = retryable
        self.retry_after_s = retry_after_s
        self.sent = sent


class ScorerError(RegradeError):
    """One answer could not be scored; becomes a failure row, never a zero."""


class RunStoppedError(RegradeError):
    """The run cannot go on; what is finished is on disk and can be resumed."""
