"""Verdicts in sentences: which rule decided, by how much, how sure, and what would decide an open one."""

from regrade.report.measures import (
    format_change,
    format_interval,
    format_p,
    format_plain,
    format_size,
    metric_label,
    unit_of,
)
from regrade.verdicts import Cause, Verdict

__all__ = [
    "needed_sentence",
    "shown_difference",
    "shown_interval",
    "shown_level",
    "verdict_label",
    "verdict_sentence",
    "verdict_unit",
]


_BY_RESUMING: dict[Cause, str] = {
    "unfinished": "finish the run with `regrade run --resume RUN`, or set `missing: ignore`",
    "uneven": "`regrade run --resume RUN --retry-failed`, or set `missing: ignore`",
    "unanswered": "see why with `regrade show RUN --samples --failed`, then "
    "`regrade run --resume RUN --retry-failed`",
}
"""What the user can type where more samples are not the answer."""


def verdict_label(one: Verdict) -> str:
    """Return what people call the metric of a verdict."""
    return metric_label(one.scorer, one.metric)


def verdict_unit(one: Verdict) -> str:
    """Return the unit of a verdict's differences."""
    return unit_of(one.scorer, one.metric, share=one.share)


def shown_difference(one: Verdict) -> str:
    """Write the difference, or for a limit the value."""
    unit = verdict_unit(one)
    if one.rule.rule in {"at_least", "at_most"}:
        return format_plain(one.value_b, unit)
    return format_change(one.difference, unit, _half(one))


def shown_interval(one: Verdict) -> str:
    """Write the 1 - 2 alpha interval."""
    return format_interval(one.low, one.high, verdict_unit(one), signed=one.difference is not None)


def shown_level(one: Verdict) -> str:
    """Write the level of that interval: 90 %."""
    return f"{round(100 * one.level, 6):g} %"


def verdict_sentence(one: Verdict) -> str:
    """Return one sentence with the figures that decided."""
    return {
        "worse": _worse,
        "not_shown": _not_shown,
        "below_margin": _below_margin,
        "above_margin": _above_margin,
        "beyond": _limit,
        "within": _limit,
        "undecided": _undecided,
        "unseen_breaks": _unseen_breaks,
        "missing": _missing,
        "uneven": _uneven,
        "unfinished": _unfinished,
        "unanswered": _unanswered,
        "too_few": _too_few,
    }[one.cause](one)


def needed_sentence(one: Verdict) -> str:
    """Return what would decide an INCONCLUSIVE verdict; empty otherwise."""
    if one.outcome != "INCONCLUSIVE":
        return ""
    if one.cause == "missing":
        return (
            f"To decide: get the {_samples(one.missing)} that are missing "
            "(`regrade run --resume RUN --retry-failed`), or set `missing: ignore`."
        )
    if one.cause in _BY_RESUMING:
        return f"To decide: {_BY_RESUMING[one.cause]}."
    if one.needed is None:
        return "To decide: more samples; how many cannot be told from these."
    units = "clusters" if "clusters" in one.method else "samples"
    if one.cause == "too_few":
        return f"To decide: {one.needed:,} {units} at least."
    if one.cause == "unseen_breaks":
        return f"To decide: {one.needed:,} {units} without a loss, or a visible gain."
    of_slice = " of that slice" if one.rule.slice else ""
    return f"To decide: about {one.needed:,} {units}{of_slice}, if the figures stay as they are."


def _half(one: Verdict) -> float | None:
    return None if one.low is None or one.high is None else (one.high - one.low) / 2


def _subject(one: Verdict) -> str:
    part = ", ".join(f"{name} {value}" for name, value in one.rule.slice.items())
    where = f"{one.eval} ({part})" if part else one.eval
    model = one.model if one.prompt == "default" else f"{one.model} with {one.prompt}"
    return f"{where}: {verdict_label(one)} of {model}"


def _against(one: Verdict) -> str:
    if one.model_a != one.model:
        return f" against {one.model_a}"
    return f" against the prompt {one.prompt_a}" if one.prompt_a != one.prompt else ""


def _figures(one: Verdict, *, p: bool = False) -> str:
    """Return `93.3 % to 69.0 %, -24.3 points (90 % interval -28.7 to -19.9, adjusted p < 0.001)`."""
    unit = verdict_unit(one)
    beside = [f"{shown_level(one)} interval {shown_interval(one)}"]
    if p and one.p_adjusted is not None:
        name = "adjusted p" if one.family > 1 else "p"
        text = format_p(one.p_adjusted)
        beside.append(f"{name} {text if text.startswith('<') else f'= {text}'}")
    return (
        f"{format_plain(one.value_a, unit)} to {format_plain(one.value_b, unit)}, "
        f"{shown_difference(one)} {unit} ({', '.join(beside)})"
    )


def _counts(one: Verdict) -> str:
    if one.wins is None or one.losses is None:
        return f"over {_samples(one.n)}"
    return f"{one.losses:,} lost and {one.wins:,} won of {_samples(one.n)}"


def _worse(one: Verdict) -> str:
    than = _against(one).replace(" against", " than", 1)
    return f"{_subject(one)} is worse{than}: {_figures(one, p=True)}; {_counts(one)}."


def _not_shown(one: Verdict) -> str:
    seen = ""
    if one.detectable is not None:
        size = format_size(one.detectable, verdict_unit(one))
        seen = f" A drop of {size} would have been shown with a chance of 80 %; a smaller one may hide."
    elif one.p is not None:
        seen = " So few samples could have shown no drop with a chance of 80 %."
    return f"{_subject(one)} shows no drop{_against(one)}: {_figures(one, p=True)}; {_counts(one)}.{seen}"


def _margin(one: Verdict) -> str:
    return format_size(one.rule.margin or 0.0, verdict_unit(one))


def _below_margin(one: Verdict) -> str:
    return (
        f"{_subject(one)} lost more than the {_margin(one)} that are accepted{_against(one)}: "
        f"{_figures(one, p=True)}."
    )


def _above_margin(one: Verdict) -> str:
    accepted = f"{_margin(one)} that are accepted{_against(one)}"
    return f"{_subject(one)} lost less than the {accepted}: {_figures(one)}."


def _undecided(one: Verdict) -> str:
    if one.rule.margin is None:
        return (
            f"{_subject(one)} is {format_plain(one.value_b, verdict_unit(one))}, and the {shown_level(one)} "
            f"interval {shown_interval(one)} holds the limit of {_limit_text(one)}."
        )
    return f"{_subject(one)} may have lost more than {_margin(one)}{_against(one)}, or less: {_figures(one)}."


def _unseen_breaks(one: Verdict) -> str:
    so_many = "clusters as few as these" if "clusters" in one.method else _samples(one.n)
    return (
        f"{_subject(one)} keeps the margin of {_margin(one)} by what was seen ({_figures(one)}), but "
        f"{so_many} may well hold none of the rare breaks that would exceed it."
    )


def _limit_text(one: Verdict) -> str:
    return format_plain(one.rule.value, verdict_unit(one))


def _limit(one: Verdict) -> str:
    unit = verdict_unit(one)
    words = {"at_least": "at least", "at_most": "at most"}[one.rule.rule]
    if one.rule.confident:
        beside = f" ({shown_level(one)} interval {shown_interval(one)})"
        sure = "surely " if one.outcome == "FAIL" else "with confidence "
    else:
        beside, sure = "", ""
    kept = "as asked" if one.outcome == "PASS" else f"and {words} {_limit_text(one)} was asked"
    if one.outcome == "PASS":
        kept = f"{sure}{words} {_limit_text(one)}, {kept}"
        return f"{_subject(one)} is {format_plain(one.value_b, unit)}{beside}: {kept}."
    return f"{_subject(one)} is {format_plain(one.value_b, unit)}{beside}, {kept}; it {sure}is not."


def _missing(one: Verdict) -> str:
    figures = _figures(one, p=True) if one.difference is not None else shown_difference(one)
    return (
        f"{_subject(one)} would pass by what was answered ({figures}), but {_samples(one.missing)} lack a "
        "value, and were each of them a loss it would not."
    )


def _uneven(one: Verdict) -> str:
    return (
        f"{_subject(one)} shows no drop in what both answered ({_figures(one, p=True)}), but failures are "
        f"not spread alike over both, so that the {_samples(one.n)} left may flatter one of them."
    )


def _unfinished(one: Verdict) -> str:
    figures = _figures(one) if one.difference is not None else shown_difference(one)
    return (
        f"{_subject(one)} would pass by the {_samples(one.n)} so far ({figures}), but the run did not finish."
    )


def _unanswered(one: Verdict) -> str:
    return f"{_subject(one)} cannot be judged: every request failed."


def _too_few(one: Verdict) -> str:
    figures = _figures(one) if one.difference is not None else shown_difference(one)
    return f"{_subject(one)} rests on too few samples for its method: {figures}; {_counts(one)}."


def _samples(count: int) -> str:
    return f"{count:,} sample" + ("" if count == 1 else "s")
