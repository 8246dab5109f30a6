"""`regrade.power`: how many samples show a drop, from what two runs, repeats or the user say."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import regrade
from regrade.errors import UsageError
from regrade.stats import mcnemar_drop, mcnemar_samples

Suite = Callable[..., Path]


def run(suite: Suite, wrong: range, rows: int = 100, epochs: int = 1, **changes: Any) -> regrade.Run:
    """Run the suite over recorded answers; with repeats every wrong one is right once."""
    lines = [
        {"id": f"s{n}", "t": "0" if n in wrong and epoch else str(2 * n + 1), "in": 100, "out": 50}
        for n in range(rows)
        for epoch in range(1 if epochs == 1 else 0, epochs + (epochs == 1))
    ]
    file = Path(f"{wrong.start}-{wrong.stop}-{epochs}.jsonl")
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    fields = {"text": "t", "prompt_tokens": "in", "completion_tokens": "out"}
    model = {"name": "m", "outputs": str(file), "id": "id", **fields, **changes}
    return regrade.run(suite(rows=rows, models=[model], epochs=epochs))


def test_the_spread_comes_from_the_run_before(suite: Suite) -> None:
    """Ten of a hundred samples differ: discordance .1, and the exact power of McNemar's test from it."""
    run(suite, range(10))
    run(suite, range(5, 15))
    (row,) = regrade.power("latest", drop=0.05)
    assert (row.n, row.epochs, row.metric, row.share) == (100, 1, "accuracy", True)
    assert row.sd == pytest.approx(0.1**0.5)
    assert row.shown == pytest.approx(mcnemar_drop(100, 0.1, 0.05, 0.8))
    assert row.needed == mcnemar_samples(0.1, 0.05, 0.05, 0.8)


def test_the_user_may_say_the_discordance(suite: Suite) -> None:
    """Discordance .1, n = 200, drop .05 has power .741: 200 samples show it at .74 and not at .75."""
    run(suite, range(0), rows=200)
    (row,) = regrade.power("latest", drop=0.05, discordance=0.1, power=0.74)
    assert row.needed is not None
    assert row.needed <= 200
    (row,) = regrade.power("latest", drop=0.05, discordance=0.1, power=0.745)
    assert row.needed is not None
    assert row.needed > 200


def test_repeats_alone_tell_a_spread(suite: Suite) -> None:
    """One run with repeats gives the variance within samples: of equal models, said beside it."""
    run(suite, range(30), epochs=3)
    row = next(one for one in regrade.power("latest") if one.epochs == 3)
    within = 0.3 * (2 / 9) * 3 / 2
    assert row.sd == pytest.approx((2 * within / 3) ** 0.5)
    assert "equal models" in row.note
    (more,) = regrade.power("latest", epochs=9)
    assert more.sd == pytest.approx(row.sd / 3**0.5)


def test_cost_is_that_of_the_samples_needed(suite: Suite) -> None:
    """100 tokens in at 1 dollar a million and 50 out at 10 are 600 millionths an answer."""
    price = {"prompt": 1.0, "completion": 10.0}
    run(suite, range(10), price=price)
    run(suite, range(5, 15), price=price)
    (row,) = regrade.power("latest", drop=0.05)
    assert row.needed is not None
    assert row.cost_usd == pytest.approx(600e-6 * row.needed)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"drop": 0}, "above 0"),
        ({"drop": -0.1}, "above 0"),
        ({"drop": float("nan")}, "above 0"),
        ({"drop": 0.1, "alpha": 0.6}, "alpha"),
        ({"drop": 0.1, "alpha": 0.0}, "alpha"),
        ({"drop": 0.1, "power": 1.0}, "power"),
        ({"drop": 0.1, "power": 0.2}, "power"),
        ({"drop": 0.1, "sides": 3}, "sides"),
        ({"drop": 0.1, "epochs": 0}, "epochs"),
        ({"drop": 0.1, "discordance": 1.5}, "discordance"),
        ({"drop": 0.02, "discordance": 0.01}, "cannot come of a discordance of 0.01"),
        ({"dorp": 0.1}, "dorp"),
    ],
)
def test_numbers_out_of_range_are_refused(suite: Suite, changes: dict[str, Any], said: str) -> None:
    """Each names the option and what it may be."""
    run(suite, range(5), rows=20)
    with pytest.raises(UsageError, match=said):
        regrade.power("latest", **({"discordance": 0.1} | changes))


def test_a_drop_that_no_model_could_have_is_refused(suite: Suite) -> None:
    """Two for two percent is more than all of accuracy."""
    run(suite, range(10))
    run(suite, range(5, 15))
    with pytest.raises(UsageError, match="cannot drop by 2: it goes from 0 to 1") as caught:
        regrade.power("latest", drop=2)
    assert "2%" in str(caught.value.hint)


def test_no_drop_beyond_the_discordance_is_promised(suite: Suite) -> None:
    """Of 100 samples one that differs shows nothing, be it a loss; at ten of a hundred losses alone do."""
    run(suite, range(0))
    (row,) = regrade.power("latest", discordance=0.01)
    assert row.shown is None
    assert "not even of 0.01" in row.note
    (row,) = regrade.power("latest", discordance=0.1)
    assert row.shown is not None
    assert row.shown <= 0.1


def test_no_difference_is_no_plan(suite: Suite) -> None:
    """Two equal runs have a spread of 0, on which nothing can be planned: the discordance is asked for."""
    run(suite, range(5))
    run(suite, range(5))
    with pytest.raises(UsageError, match="no plan rests on that") as caught:
        regrade.power("latest")
    assert "--discordance" in str(caught.value.hint)


def test_one_run_without_repeats_is_no_plan(suite: Suite) -> None:
    """It does not tell how much two runs differ."""
    run(suite, range(5))
    with pytest.raises(UsageError, match="does not tell how much two differ"):
        regrade.power("latest")
