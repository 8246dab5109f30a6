"""Many models and prompts of a run against each other: tables told apart, and lists that say their length."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import regrade
from regrade.addresses import CompareAddress


@pytest.mark.parametrize("by", ["model", "prompt"])
def test_every_table_of_ranks_is_told_apart(
    by: str, run: Callable[..., regrade.Run], model: Callable[..., dict[str, Any]], dashboard: Any
) -> None:
    """Models have a table of ranks for each prompt, which names it; prompts one for each model."""
    found = run([model(name, n) for n, name in enumerate("abc")], matrix={"word": ["short", "long"]})
    page = dashboard().get(CompareAddress(found.id, by=by).url())
    shared = {
        "model": [f"prompt default[word={word}]" for word in ("short", "long")],
        "prompt": [f"model {name}" for name in "abc"],
    }[by]
    heads = page.words(".//section[@aria-labelledby='rk']/h3")
    assert heads == [f"sums: exact_match accuracy, {one}" for one in shared]


def test_many_models_stay_within_reach(
    run: Callable[..., regrade.Run], model: Callable[..., dict[str, Any]], dashboard: Any
) -> None:
    """Cells of ranks name three and count the rest; pairs not shown to differ are folded, and counted."""
    names = [f"m{n}" for n in range(8)]
    found = run([model(name, 20 * (name == "m7")) for name in names])
    page = dashboard().get(CompareAddress(found.id, by="model").url())
    cells = page.find(".//section[@aria-labelledby='rk']//tbody/tr[1]/td")
    texts = ["".join(one.itertext()) for one in cells]
    assert texts == ["1=", "100.0 %", "m7", "m1, m2, m3 and 3 more"]
    assert cells[-1].attrib["title"] == ", ".join(names[1:7])
    section = ".//section[@aria-labelledby='df']"
    shown = page.words(f"{section}/div/table/tbody/tr/th")
    assert [one.split()[2:5] for one in shown] == [["m7", "against", one] for one in names[:7]]
    assert page.words(f"{section}/details/summary") == ["21 not shown to differ"]
    assert len(page.find(f"{section}/details//tbody/tr/th")) == 21


def test_rows_without_values_are_folded(
    run: Callable[..., regrade.Run], model: Callable[..., dict[str, Any]], dashboard: Any
) -> None:
    """Models that answered nothing take no room among those with figures, in runs as in pairs of models."""
    models = [
        *[model(name, n) for n, name in enumerate("abc")],
        *[model(name, 0, failed=20) for name in "xyz"],
    ]
    for one in models[3:]:
        Path(one["outputs"]).write_text('{"id": "nobody", "text": "1"}\n')
    runs = [run(models).id for _ in range(2)]
    served = dashboard()
    for address, shown, folded in (
        (CompareAddress(runs[0], runs[1]).url(), 6, 6),
        (CompareAddress(runs[0], by="model").url(), 3, 12),
    ):
        served.get(f"{address}&format=json")  # waits for what is computed
        section = ".//section[@aria-labelledby='df']"
        page = served.get(address)
        assert len(page.find(f"{section}/div/table/tbody/tr/th")) == shown
        assert page.words(f"{section}/details/summary") == [f"{folded} without values to compare"]
