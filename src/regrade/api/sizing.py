"""`power`: how many samples show a drop, or which drop so many samples show, and what that costs."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from regrade.api.sources import ArmChoice, Recorded, Reference, lay_out, open_recorded
from regrade.errors import UsageError
from regrade.plugins import Registry
from regrade.protocols import PerSample
from regrade.types import Bounds, JsonObject

if TYPE_CHECKING:
    from regrade.arms import Arm, Joined, Pairing
    from regrade.stats import Differences

__all__ = ["PowerOptions", "PowerRow", "power"]

_REPEATS = (1, 3, 5, 10)


@dataclass(frozen=True, slots=True)
class PowerOptions:
    """What a caller may say about planning.

    Attributes:
        drop: The drop that must be shown, in the metric's unit; None asks what the samples at hand show.
        against: The run or baseline whose differences are planned with; default the run before.
        sides: 1 for a gate, 2 for a comparison either way.
        alpha: Of the test.
        power: The chance that the drop is shown.
        epochs: Repeats of each sample to plan for; default those of the run, and where both runs have some
            also 1, 3, 5 and 10.
        discordance: Share of samples that will come out differently, where no two runs tell.
        results: Where runs lie.
    """

    drop: float | None = None
    against: "Reference | None" = None
    sides: int = 1
    alpha: float = 0.05
    power: float = 0.8
    epochs: int | None = None
    discordance: float | None = None
    results: Path = Path("results")


@dataclass(frozen=True, slots=True)
class PowerRow:
    """The plan of one metric of one arm.

    Attributes:
        eval: The eval.
        model: The model.
        prompt: The prompt.
        scorer: The scorer.
        metric: Its first metric that speaks of single samples.
        share: Whether it ranges from 0 to 1.
        n: Samples at hand.
        epochs: Repeats that are planned for.
        sd: Of one difference at so many repeats.
        source: Where that comes from.
        shown: The smallest drop that n samples show; None where no drop could be shown.
        drop: What was asked for.
        needed: Samples that show it; None when nothing was asked.
        cost_usd: Of so many samples of one model at its price; None without a price.
        note: What belongs beside it.
    """

    eval: str
    model: str
    prompt: str
    scorer: str
    metric: str
    share: bool
    n: int
    epochs: int
    sd: float
    source: str
    shown: float | None
    drop: float | None = None
    needed: int | None = None
    cost_usd: float | None = None
    note: str = ""


def power(
    run: Reference = "latest",
    *,
    options: PowerOptions | None = None,
    registry: Registry | None = None,
    **changes: Any,
) -> list[PowerRow]:
    """Plan the samples of a comparison from how much two runs differ.

    Args:
        run: A run or baseline, or an arm of one.
        options: What to plan for; `changes` lie over it.
        registry: Plug-ins, when the caller adds its own.
        changes: Fields of `PowerOptions`.

    Raises:
        UsageError: Numbers out of range, or nothing that tells how much two runs differ.
        StoreError: When a run cannot be read.
    """
    chosen = _options(options or PowerOptions(), changes)
    choice = ArmChoice.parse(run)
    side = open_recorded(chosen.results, choice.reference)
    partner = _partner(side, choice, chosen)
    sides = [(side, choice), *([partner] if partner else [])]
    arms, *others = lay_out(sides, registry or Registry())
    rows = list(_rows(side, arms, others[0] if others else [], chosen))
    if not rows:
        raise UsageError(f"{run} has no metric that speaks of single samples")
    return rows


def _options(options: PowerOptions, changes: Mapping[str, Any]) -> PowerOptions:
    try:
        found = replace(options, **changes)
    except TypeError as error:
        raise UsageError(f"power(): {error}") from error
    found = replace(found, results=Path(found.results))
    checks = (
        (found.drop is None or 0 < found.drop < math.inf, "a drop is above 0, such as 0.02 for two points"),
        (found.sides in {1, 2}, "--sides is 1 or 2"),
        (0 < found.alpha <= 0.5, "an alpha lies between 0 and 0.5"),  # noqa: PLR2004 - half the time is no test
        (0.5 < found.power < 1, "a power lies between 0.5 and 1"),  # noqa: PLR2004 - less is a coin
        (found.epochs is None or found.epochs >= 1, "--epochs is at least 1"),
        (found.discordance is None or 0 < found.discordance <= 1, "--discordance is a share of samples"),
    )
    for right, message in checks:
        if not right:
            raise UsageError(message)
    if found.drop is not None and found.discordance is not None and found.drop > found.discordance:
        raise UsageError(
            f"a drop of {found.drop:g} cannot come of a discordance of {found.discordance:g}, "
            "not even when every sample that differs is a loss",
            hint="--discordance is the share of all samples that come out differently, losses and gains",
        )
    return found


def _partner(side: Recorded, choice: ArmChoice, chosen: PowerOptions) -> tuple[Recorded, ArmChoice] | None:
    """Return what the run is held against: what was named, else the success before it."""
    if chosen.discordance is not None:
        return None
    if chosen.against is not None:
        other = ArmChoice.parse(chosen.against)
        return open_recorded(chosen.results, other.reference), other
    if side.folder is None:
        return None
    from regrade.store import list_runs

    mine = sorted(side.measures)
    for folder, manifest in reversed(list_runs(chosen.results)):
        earlier = folder.id < side.folder.id and manifest.status == "success" and manifest.measures
        if earlier and sorted(manifest.evals) == mine:
            return open_recorded(chosen.results, str(folder.path)), replace(choice, reference=folder.id)
    return None


@dataclass(frozen=True, slots=True)
class _Spread:
    """How much one difference varies: of one size where answers are right or wrong, else with a deviation."""

    sd: float
    source: str
    discordance: float | None = None
    note: str = ""


def _rows(
    side: Recorded, arms: "Sequence[Arm]", others: "Sequence[Arm]", chosen: PowerOptions
) -> Iterator[PowerRow]:
    from regrade.compare import join, main_measures, match_arms

    partners = {id(b): join(a, b) for a, b in match_arms(others, arms)[0]} if others else {}
    for arm in arms:
        joined = partners.get(id(arm)) or join(arm, arm)
        for name in main_measures(arm, joined.a):
            for epochs in _planned(joined, name, chosen):
                planned = replace(chosen, epochs=epochs)
                spread = _spread(joined, name, planned)
                if spread is not None:
                    yield _row(side, arm, name, spread, planned)


def _planned(joined: "Joined", name: tuple[str, str], chosen: PowerOptions) -> list[int]:
    """Return the numbers of repeats to plan for: several where the runs tell what more of them bring."""
    if chosen.epochs is not None:
        return [chosen.epochs]
    now = joined.b.epochs
    if chosen.discordance is not None or any(_within(one, name) is None for one in (joined.a, joined.b)):
        return [now]
    return sorted({now, *_REPEATS})


def _spread(joined: "Joined", name: tuple[str, str], chosen: PowerOptions) -> _Spread | None:
    from regrade.compare import pair_up

    arm = joined.b
    a, b = joined.a.measure(*name), arm.measure(*name)
    if a is None or b is None:
        return None
    epochs = chosen.epochs or arm.epochs
    if chosen.discordance is not None:
        return _Spread(math.sqrt(chosen.discordance), "--discordance", chosen.discordance)
    pairing = pair_up(joined, a, b)
    within = [_within(one, name) for one in (joined.a, arm)]
    if joined.a is arm:
        if within[0] is None:
            raise UsageError(
                f"one run alone does not tell how much two differ ({arm.eval}, {arm.model})",
                hint="name another with --against RUN, or say --discordance 0.1: the share of samples that "
                "will come out differently",
            )
        sd = math.sqrt(2 * within[0] / epochs)
        return _checked(_Spread(sd, "repeats", note="of equal models: a changed one differs more"), arm)
    if pairing.mean is None or pairing.problem:
        raise UsageError(f"{arm.eval}, {arm.model}: {pairing.problem or 'no single samples'}")
    return _checked(_between_runs(pairing, within, epochs), arm)


def _between_runs(pairing: "Pairing", within: "Sequence[float | None]", epochs: int) -> _Spread:
    """Return the spread of the differences of two runs, moved to another number of repeats."""
    import numpy as np

    from regrade.stats import planned_sd

    joined = pairing.joined
    mean: Differences | None = pairing.mean
    if mean is None:
        raise ValueError("a metric without single samples")
    source = f"differences from {joined.a.run}"
    d = mean.d
    right_or_wrong = bool(np.isin(np.abs(d), (0.0, 1.0)).all()) and mean.reach == 1.0 and not mean.clustered
    if right_or_wrong and epochs == 1:
        share = float((d != 0).mean())
        return _Spread(math.sqrt(share), source, share)
    se = mean.error()[0]
    variance = 0.0 if se is None else se**2 * d.size  # with clusters it holds their design effect
    known_a, known_b = within
    now_a, now_b = joined.a.epochs, joined.b.epochs
    if epochs in {now_a, now_b} and now_a == now_b:
        return _Spread(math.sqrt(variance), source)
    if known_a is None or known_b is None:
        note = "one repeat does not tell what more would bring: run once with --epochs 3"
        return _Spread(math.sqrt(variance), source, note=note)
    between = max(variance - known_a / now_a - known_b / now_b, 0.0)
    return _Spread(planned_sd(between, known_a, known_b, epochs), source)


def _checked(spread: _Spread, arm: "Arm") -> _Spread:
    if spread.sd > 0:
        return spread
    raise UsageError(
        f"{arm.eval}, {arm.model}: no sample came out differently, and no plan rests on that",
        hint="say --discordance 0.05: the share of samples that will",
    )


def _within(arm: "Arm", name: tuple[str, str]) -> float | None:
    """Return the variance between repeats of one sample; None with one repeat."""
    from regrade.stats import epoch_spread

    measure = arm.measure(*name)
    if measure is None or arm.epochs < 2:  # noqa: PLR2004 - repeats
        return None
    try:
        return epoch_spread(measure.data.values)[0]
    except ValueError:
        return None


def _row(
    side: Recorded, arm: "Arm", name: tuple[str, str], spread: _Spread, chosen: PowerOptions
) -> PowerRow:
    from regrade.stats import mcnemar_drop, mcnemar_samples, mean_drop, mean_samples

    n = int(arm.ids.size)
    bounds = _bounds(arm, name)
    _check_drop(chosen.drop, arm, name[1], bounds)
    epochs = chosen.epochs or arm.epochs
    alpha = chosen.alpha / chosen.sides
    needed = None
    if spread.discordance is not None:
        shown = mcnemar_drop(n, spread.discordance, alpha, chosen.power)
        if chosen.drop is not None:
            share = max(spread.discordance, chosen.drop)
            needed = mcnemar_samples(min(share, 1.0), min(chosen.drop, 1.0), alpha, chosen.power)
    else:
        shown = mean_drop(spread.sd, n, alpha, chosen.power) if n > 1 else None
        if chosen.drop is not None:
            needed = mean_samples(spread.sd, chosen.drop, alpha, chosen.power)
    note, most = spread.note, math.inf if bounds is None else bounds[1] - bounds[0]
    if chosen.discordance is not None:
        most = min(most, chosen.discordance)
    if shown is not None and shown > most:
        shown, note = None, f"{n:,} samples show no drop, not even of {most:g}, the largest there can be"
    cost = _cost(side, arm)
    return PowerRow(
        eval=arm.eval,
        model=arm.model,
        prompt=arm.prompt,
        scorer=name[0],
        metric=name[1],
        share=bounds == (0.0, 1.0),
        n=n,
        epochs=epochs,
        sd=spread.sd,
        source=spread.source,
        shown=shown,
        drop=chosen.drop,
        needed=needed,
        cost_usd=None if cost is None else cost * (needed or n) * epochs,
        note=note,
    )


def _bounds(arm: "Arm", name: tuple[str, str]) -> Bounds | None:
    """Return the range of a metric of single samples; None when nothing bounds it."""
    measure = arm.measure(*name)
    if measure is None or not isinstance(measure.source, PerSample):
        return None
    return measure.source.per_sample(measure.data).bounds


def _check_drop(drop: float | None, arm: "Arm", metric: str, bounds: Bounds | None) -> None:
    """Refuse a drop that no model could have.

    Raises:
        UsageError: When it is larger than the range of the metric.
    """
    if drop is not None and bounds is not None and drop > bounds[1] - bounds[0]:
        raise UsageError(
            f"{metric} of {arm.eval} cannot drop by {drop:g}: it goes from {bounds[0]:g} to {bounds[1]:g}",
            hint="a drop of two points is 0.02, or 2%" if bounds == (0.0, 1.0) else None,
        )


def _cost(side: Recorded, arm: "Arm") -> float | None:
    """Return US dollars an answer, by the model's price and the tokens of its answers."""
    import numpy as np

    price = next((_price(one) for one in side.models if one.get("name") == arm.model), None)
    if price is None:
        return None
    total = 0.0
    for name, dollars in zip(("prompt_tokens", "completion_tokens"), price, strict=True):
        measure = arm.measure("", f"{name}_per_answer")
        if measure is None:
            return None
        total += float(np.nanmean(measure.data.values)) * dollars / 1e6
    return total


def _price(record: JsonObject) -> tuple[float, float] | None:
    price = record.get("price")
    return None if not price else (float(price["prompt"]), float(price["completion"]))
