"""More than two runs or models against each other: the figures of each pair, ranks by tests, agreement."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import regrade
from regrade.addresses import CompareAddress
from regrade.dashboard.settings import DashboardSettings
from regrade.report.numbers import MISSING
from regrade.stats import holm

COUNT = 60
WRONG = ((0, 30, 30), (24, 30, 33), (26, 30, 0))
FIGURES = ("n", "value_a", "value_b", "difference", "se", "low", "high", "p", "wins", "losses", "method")


@pytest.fixture(scope="module")
def served(
    tmp_path_factory: pytest.TempPathFactory,
    answers: Callable[..., Any],
    suite: Callable[..., Any],
    serving: Any,
) -> Iterator[Any]:
    """Serve three runs of three models."""
    path: Path = tmp_path_factory.mktemp("several")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(path)
        for wrong in WRONG:
            suite(
                [
                    answers(name, n, count=COUNT)
                    for name, n in zip(("one", "two", "three"), wrong, strict=True)
                ],
                count=COUNT,
            )
        with serving(["results"], DashboardSettings(cache=path / "cache")) as dashboard:
            yield dashboard


def ids() -> list[str]:
    """Return the ids of the runs, the oldest first."""
    return [one.id for one in regrade.api.runs()]


def url(*sides: str, **more: Any) -> str:
    """Return the page's address."""
    return CompareAddress(**more).among(sides).url()


def records(served: Any, address: str, table: str = "changes") -> list[dict[str, Any]]:
    """Return one of the page's tables, exact."""
    found: list[dict[str, Any]] = json.loads(served.get(f"{address}&table={table}&format=json").body)
    return found


def test_pairs_have_the_figures_of_compare_and_holm_over_all_pairs(served: Any) -> None:
    """Each pair is what `compare` finds of it; its p is adjusted over the three pairs of its metric."""
    runs = ids()
    found = records(served, url(*runs, model="one"))
    assert {one["model_b"] for one in found} == {"one"}
    for one in found:
        pair = regrade.compare(one["run_a"], one["run_b"]).changes
        (same,) = [
            each for each in pair if each.model_b == "one" and each.metric == one["metric"] and each.scorer
        ]
        assert [one[name] for name in FIGURES] == [getattr(same, name) for name in FIGURES]
    accuracy = [one for one in found if one["metric"] == "accuracy"]
    assert [(one["run_a"], one["run_b"]) for one in accuracy] == [
        (runs[0], runs[1]),
        (runs[0], runs[2]),
        (runs[1], runs[2]),
    ]
    assert [one["p_adjusted"] for one in accuracy] == holm(np.array([one["p"] for one in accuracy])).tolist()


def test_ranks_are_those_of_the_paired_tests(served: Any) -> None:
    """The run that is shown to be better is first; two that are not told apart share the place behind it."""
    runs = ids()
    address = url(*runs, model="one")
    ranks = records(served, address, "ranks")
    mine = {one["side"]: (one["rank"], one["tied"]) for one in ranks}
    assert mine == {runs[0]: (1, False), runs[1]: (2, True), runs[2]: (2, True)}
    rows = served.get(address).words(".//table[@class='rf ranks']/tbody/tr")
    assert rows == [
        f"A, {runs[0]}1100.0 %B, C{MISSING}",
        f"B, {runs[1]}2=60.0 %{MISSING}C",
        f"C, {runs[2]}2=56.7 %{MISSING}B",
    ]


def test_a_pair_leads_to_its_own_page_and_a_side_is_dropped_by_a_link(served: Any) -> None:
    """Without script every pair is one click away, and so is the page without one of the sides."""
    runs = ids()
    records(served, url(*runs))
    page = served.get(url(*runs))
    hrefs = [one.attrib["href"] for one in page.find(".//section[@aria-labelledby='df']//tbody//a")]
    assert url(runs[0], runs[2], eval="sums", model="two") in hrefs
    links = [one.attrib["href"] for one in page.find(".//div[@id='compared-head']//p/span/a")]
    assert url(runs[0], runs[2]) in links
    chosen = [
        one.attrib["value"] for one in page.find(".//select[@name='c']//option") if "selected" in one.attrib
    ]
    assert chosen == [runs[2]]
    assert len(page.find(".//select[@name='c']")) == 2


def test_models_named_one_by_one_are_those_of_the_run(served: Any) -> None:
    """Three models of a run have the figures that its own table has, and agree as often."""
    run = ids()[1]
    arms = [f"{run},model={name}" for name in ("one", "two", "three")]
    names = ("model_a", "model_b", *FIGURES, "p_adjusted", "metric")
    by_run, by_arm = (
        sorted(tuple(one[name] for name in names) for one in records(served, address))
        for address in (url(run, by="model"), url(*arms, by="model"))
    )
    assert by_arm == by_run
    for address in (url(run, by="model"), url(*arms, by="model")):
        served.get(f"{address}&format=html")
        page = served.get(address)
        assert page.words(".//table[@class='agree']/tbody/tr/td/a") == ["90", "85", "95"]
        assert page.words(".//table[@class='rf ranks']/tbody/tr/th") == ["one", "two", "three"]


@pytest.mark.parametrize("typed", ["twice", "escaped", "hole"])
def test_an_address_has_one_spelling(served: Any, typed: str) -> None:
    """Sides named twice, commas behind a backslash and gaps lead to the plain address."""
    run = ids()[0]
    a, b, c = (f"{run},model={name}" for name in ("one", "two", "three"))
    plain = url(a, b, c, by="model")
    asked = {
        "twice": f"/compare?a={a}&b={b}&c={c},{b}&by=model",
        "escaped": f"/compare?a={a}&b={b}&c={run}%5C,model=three&by=model",
        "hole": f"/compare?a={a}&b=&c={b}&c=&c={c}&by=model",
    }[typed]
    location, answer = "", served.get(asked)
    while answer.status == 303:
        location = answer.headers["location"]
        answer = served.get(location)
    assert location == plain


def test_too_many_are_refused_with_a_word(served: Any) -> None:
    """Nine sides are too many; the page says how many can be compared."""
    arms = [f"{run},model={name}" for run in ids() for name in ("one", "two", "three")]
    page = served.get(url(*arms))
    assert "9 are too many: 8 can be held against each other" in page.words(".//div[@id='notices']")[0]


def test_an_arm_is_not_held_against_itself(served: Any) -> None:
    """A run beside one of its own models is refused, as `compare` refuses it."""
    runs = ids()
    address = url(*runs[:2], f"{runs[1]},model=one")
    served.get(f"{address}&format=html")
    said = served.get(address).words(".//main")[0]
    assert f"{runs[1]}: one (sums, prompt default) would be held against itself" in said


def test_it_is_saved_as_one_file(served: Any) -> None:
    """Ranks, pairs and agreement are in the file; forms, scripts and links to a server are not."""
    page = served.get(f"{url(*ids(), model='one')}&format=html")
    assert len(page.find(".//table[@class='rf ranks']/tbody/tr")) == 3
    assert len(page.find(".//table[@class='agree']/tbody/tr")) == 2
    assert not page.find(".//form")
    assert not page.find(".//script")
    assert not [one for one in page.find(".//*[@href]") if one.attrib["href"] not in {"#main", "data:,"}]


def test_more_than_two_runs_are_chosen_from_the_list(served: Any) -> None:
    """What is ticked beside A and B in the list of runs is compared with them; named twice counts once."""
    runs = ids()
    page = served.get("/runs")
    boxes = [one for one in page.find(".//input[@type='checkbox']") if one.attrib["name"] == "c"]
    assert [one.attrib["value"] for one in boxes] == runs[::-1]
    (form,) = page.find(".//form[@id='compare']")
    assert {one.attrib["form"] for one in boxes} == {form.attrib["id"]}
    location = ""
    answer = served.get(f"/compare?a={runs[1]}&b={runs[2]}&c={runs[2]}&c={runs[0]}")
    while answer.status == 303:
        location = answer.headers["location"]
        answer = served.get(location)
    assert location == url(runs[1], runs[2], runs[0])
