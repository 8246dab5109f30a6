"""What endpoints honour, as tables 80 columns wide."""

from collections.abc import Mapping, Sequence

from regrade.probes import Finding
from regrade.views import ColumnView, TableView

__all__ = ["PROBED_FEATURES", "probe_tables"]

_STEERING = {
    "seed": "seed",
    "n": "n",
    "stop": "stop",
    "max_tokens": "max tokens",
    "system": "system role",
    "reasoning": "reasoning apart",
    "context": "context window",
}
_LOGPROBS = {
    "logprobs": "logprobs",
    "top_logprobs": "top logprobs",
    "prompt_logprobs": "prompt logprobs",
    "completions": "completions endpoint",
}
_FORM = {
    "schema": "JSON schema",
    "tools": "tools",
    "stream": "stream",
    "stream_usage": "usage in stream",
}
PROBED_FEATURES: Mapping[str, str] = {**_STEERING, **_LOGPROBS, **_FORM}
"""Feature to its head in the tables."""

_MARKS = {"ignored": "IGNORED"}


def probe_tables(probed: Sequence[tuple[str, Mapping[str, Finding]]]) -> list[TableView]:
    """Return three tables, a row a model, and below them the reason of everything that is no plain yes.

    Args:
        probed: Each model with its findings, by feature.
    """
    notes = [
        f"{model}: {PROBED_FEATURES[name]}: {finding.note}"
        for model, findings in probed
        for name, finding in findings.items()
        if (finding.note and name != "context") or finding.verdict == "ignored"
    ]
    legend = "IGNORED: accepted in silence and not done. no: refused or not given. ?: cannot be told."
    return [
        _table("what steers an answer", _STEERING, probed, ()),
        _table("how likely texts are", _LOGPROBS, probed, ()),
        _table("the form of an answer", _FORM, probed, (legend, *dict.fromkeys(notes))),
    ]


def _table(
    title: str,
    features: Mapping[str, str],
    probed: Sequence[tuple[str, Mapping[str, Finding]]],
    notes: tuple[str, ...],
) -> TableView:
    columns = (ColumnView("model"), *(ColumnView(head, "right") for head in features.values()))
    rows = tuple(
        (model, *(_cell(name, findings.get(name)) for name in features)) for model, findings in probed
    )
    return TableView(title, columns, rows, notes)


def _cell(name: str, finding: Finding | None) -> str:
    if finding is None:
        return ""
    if name == "context" and finding.verdict == "yes":
        return f"{finding.value:,}"
    return _MARKS.get(finding.verdict, finding.verdict)
