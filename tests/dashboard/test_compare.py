"""The page that compares: its figures are those of the command line, its texts are text."""

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

import regrade
from regrade.addresses import CompareAddress
from regrade.dashboard.settings import DashboardSettings

HOSTILE = "<script>alert(1)</script>\u202e<img src=x onerror=alert(1)>\x1b[31m"
COUNT = 60


@pytest.fixture(scope="module")
def folder(
    tmp_path_factory: pytest.TempPathFactory, answers: Callable[..., Any], suite: Callable[..., Any]
) -> Iterator[Path]:
    """Work in a folder with a baseline and two runs of three models; one got worse and hostile."""
    path = tmp_path_factory.mktemp("compared")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(path)
        names = ("one", "two", "three")

        def run(*wrong: int) -> regrade.Run:
            models = [answers(name, n, count=COUNT) for name, n in zip(names, wrong, strict=True)]
            if wrong[0]:
                lines = Path("one.jsonl").read_text().splitlines()
                Path("one.jsonl").write_text(
                    "\n".join([json.dumps({"id": "s0", "text": HOSTILE}), *lines[1:]])
                )
            found: regrade.Run = suite(models, count=COUNT)
            return found

        first = run(0, 30, 30)
        regrade.set_baseline("main", first)
        regrade.gate(run(24, 30, 33).id, baseline="main", rules=["no_regression accuracy"])
        yield path


@pytest.fixture(scope="module")
def served(folder: Path, serving: Any) -> Iterator[Any]:
    """Serve them, with a cache of its own; all that is asked of it below is computed in one go."""
    old, new = ids()
    arms = (f"{new},model=one", f"{new},model=two")
    with serving(["results"], DashboardSettings(cache=folder / "cache")) as dashboard:
        for address in (url(old, new), url("main", new), url(new, by="model"), url(*arms, by="model")):
            dashboard.get(address)  # a page that waits; the process takes them one after another
        yield dashboard


def ids() -> list[str]:
    """Return the ids of both runs, the older first."""
    return [one.id for one in regrade.api.runs()]


def url(a: str, b: str = "", **more: Any) -> str:
    """Return the page's address."""
    return CompareAddress(a, b, **more).url()


def whole(served: Any, address: str) -> Any:
    """Return the page after its comparison was computed: what is exported waits for it."""
    served.get(f"{address}&format=json")
    return served.get(address)


def test_figures_are_those_of_compare(served: Any) -> None:
    """The page's table holds every change with every digit of what the command line writes."""
    old, new = ids()
    exported = json.loads(served.get(f"{url(old, new)}&format=json").body)
    found = regrade.compare(old, new)
    assert exported == [asdict(one) for one in found.changes]
    page = served.get(url(old, new))
    rows = page.words(".//main//section[@aria-labelledby='df']//tbody/tr")
    (row,) = [one for one in rows if one.startswith(("one", "shown worse one")) or "accuracy, one" in one]
    (change,) = [one for one in found.changes if one.metric == "accuracy" and one.model_b == "one"]
    assert (change.wins, change.losses) == (0, 24)
    assert "100.0 %60.0 %\u221240" in row
    assert found.document.paragraph in page.words(".//main")[0]


def test_a_baseline_shows_the_answers_of_its_run(served: Any) -> None:
    """A baseline without texts tells which samples flipped; what A said stands in the run it was set from."""
    page = whole(served, url("main", ids()[1], model="one"))
    assert page.words(".//h1")[0].endswith("against main")
    chips = [*page.words(".//a[@class='chip']"), *page.words(".//a[@class='chip nil']")]
    assert chips == ["lost 24", "gained 0", "answer to failure 0", "failure to answer 0", "flaky 0"]
    assert len(page.find(".//article")) == 20
    told = {words.split()[0]: words for words in page.words(".//article")}
    assert "A: 1, right 3 B: 0, wrong 0" in told["s1"]
    assert page.find(".//article[1]//a")[1].attrib["href"].startswith(f"/run/{ids()[0]}/samples")


def test_a_baseline_whose_run_is_gone_says_so(folder: Path, tmp_path: Path, serving: Any) -> None:
    """Without its run a baseline gives the same figures, and says why A's answers are not at hand."""
    old, new = ids()
    for name in ("baselines", new):
        shutil.copytree(folder / "results" / name, tmp_path / "results" / name)
    with serving([tmp_path / "results"], DashboardSettings(cache=tmp_path / "cache")) as dashboard:
        page = whole(dashboard, url("main", new, model="one"))
        exported = json.loads(dashboard.get(f"{url('main', new)}&format=json").body)
    assert exported == [asdict(one) for one in regrade.compare("main", new).changes]
    assert f"the run {old} is not here any more" in page.words(".//article")[0]
    command = "regrade baseline set main RUN --answers --replace"
    assert command in page.words(".//section[@aria-labelledby='flips']/div/pre")


def test_flips_are_paged_to_the_last(served: Any) -> None:
    """Every lost sample stands on one page, and no page is without end."""
    old, new = ids()
    address, seen = url(old, new, model="one"), []
    whole(served, address)
    for _ in range(5):
        page = served.get(address)
        seen += page.words(".//article/h3/a")
        following = page.find(".//a[@data-key=']']")
        if not following:
            break
        address = following[0].attrib["href"].partition("#")[0]
    assert sorted(seen) == sorted(f"s{n}" for n in range(24))
    assert "after=20" in address


def test_hostile_answers_are_text(served: Any) -> None:
    """Markup shows as it is, hidden characters as code points; the page runs no script but its own."""
    old, new = ids()
    page = whole(served, url(old, new, model="one"))
    (article,) = [one for one in page.words(".//article") if one.startswith("s0 ")]
    assert "<script>alert(1)</script>U+202E<img src=x onerror=alert(1)>ESC[31m" in article
    assert not page.find(".//article//script")
    assert not page.find(".//article//img")


def test_a_flip_leads_to_both_stories(served: Any) -> None:
    """The sample's story in each run is one click away."""
    old, new = ids()
    page = whole(served, url(old, new, model="one"))
    links = [one.attrib["href"] for one in page.find(".//article[1]//a")]
    for run in (old, new):
        (link,) = {one for one in links if one.startswith(f"/run/{run}/samples?")}
        story = served.get(link)
        assert story.status == 200
        assert "the run holds no sample" not in story.text
        assert page.words(".//article[1]/h3/a")[0] in story.words(".//main")[0]


def test_filters_show_less_and_adjust_nothing(served: Any) -> None:
    """P stays adjusted over the whole comparison, and the page says so."""
    old, new = ids()
    address = url(old, new, model="two")
    rows = json.loads(served.get(f"{address}&format=json").body)
    assert {one["model_b"] for one in rows} == {"two"}
    known = {
        (one.scorer, one.metric): one for one in regrade.compare(old, new).changes if one.model_b == "two"
    }
    assert all(one["p_adjusted"] == known[one["scorer"], one["metric"]].p_adjusted for one in rows)
    assert "p is adjusted over the whole comparison" in served.get(address).words(".//main")[0]


def test_all_models_of_a_run(served: Any) -> None:
    """Every pair stands with the figures of the run's own table, and the matrix tells how often two agree."""
    _, new = ids()
    address = url(new, by="model")
    exported = json.loads(served.get(f"{address}&format=json").body)
    pairs = {(one["model_a"], one["model_b"]) for one in exported}
    assert pairs == {("one", "two"), ("one", "three"), ("two", "three")}
    page = whole(served, address)
    cells = page.words(".//table[@class='agree']/tbody/tr/td/a")
    # Wrong: the first 24, 30 and 33 of 60; whoever is wrong is so where the weaker one is, too.
    assert cells == ["90", "85", "95"]
    hrefs = [one.attrib["href"] for one in page.find(".//table[@class='agree']//a")]
    assert hrefs[0] == url(f"{new},model=one", f"{new},model=two", by="model")


def test_two_models_of_a_run(served: Any) -> None:
    """Arms are named as the command line names them."""
    _, new = ids()
    a, b = f"{new},model=one", f"{new},model=two"
    exported = json.loads(served.get(f"{url(a, b, by='model')}&format=json").body)
    assert exported == [asdict(one) for one in regrade.compare(a, b).changes]
    assert served.get(url(a, b, by="model")).words(".//h1") == ["two against one"]


@pytest.mark.parametrize(
    ("asked", "a"), [("latest", 1), ("previous", 0), ("main", None)], ids=["latest", "previous", "baseline"]
)
def test_names_lead_to_whole_ids(served: Any, asked: str, a: int | None) -> None:
    """A link that is shared means the same tomorrow."""
    known = ids()
    answer = served.get(f"/compare?a={asked}&b={known[1][:-2]}")
    wanted = asked if a is None else known[a]
    assert (answer.status, answer.headers["location"]) == (303, url(wanted, known[1]))


@pytest.mark.parametrize("text", ["/etc/passwd", "../results", "nothing", "main,colour=red", "20"])
def test_only_runs_and_baselines_of_the_folders_are_read(served: Any, text: str) -> None:
    """Any other text is no run, whatever lies at that path; the forms are still there."""
    page = served.get(f"/compare?a={quote(text)}&b={ids()[1]}")
    assert page.status == 200
    assert page.find(".//details[@id='filters']//select[@name='a']")
    assert "no such run" in page.words(".//main//div[@id='notices']")[0]


def test_what_cannot_be_compared_says_why(served: Any) -> None:
    """A run held against itself is refused with the words of the command line."""
    _, new = ids()
    page = whole(served, url(new, new))
    assert "would be held against itself" in page.words(".//main")[0]


def test_nothing_chosen_offers_what_there_is(served: Any) -> None:
    """Baselines go first, then runs, the newest first."""
    page = served.get("/compare")
    values = [one.attrib["value"] for one in page.find(".//select[@name='a']//option")]
    assert values == ["", "main", *reversed(ids())]


def test_waiting_needs_no_script(folder: Path, serving: Any) -> None:
    """Until it is computed, the page says so, reloads by itself and is then whole."""
    old, new = ids()
    with serving(["results"], DashboardSettings(cache=folder / "other")) as dashboard:
        first = dashboard.get(url(old, new))
        assert first.status == 200
        assert first.find(".//head/noscript/meta[@http-equiv='refresh']")
        assert first.find(".//div[@id='compared'][@data-again]")
        page = whole(dashboard, url(old, new))
        assert not page.find(".//noscript")
        regions = [[one.attrib["id"] for one in each.find(".//*[@data-region]")] for each in (first, page)]
        assert regions[0] == regions[1]


def test_a_cache_that_lost_its_flips_is_filled_again(folder: Path, serving: Any) -> None:
    """The page never shows fewer flips than it counts."""
    import sqlite3

    old, new = ids()
    cache = folder / "lossy"
    with serving(["results"], DashboardSettings(cache=cache)) as dashboard:
        whole(dashboard, url(old, new))
    with sqlite3.connect(cache / "changes.sqlite") as base:
        assert base.execute("delete from parts where kind like '% lost 0'").rowcount > 0
    base.close()
    with serving(["results"], DashboardSettings(cache=cache)) as dashboard:
        dashboard.get(url(old, new))
        page = whole(dashboard, url(old, new))
        assert len(page.find(".//article")) == 20


def test_saved_as_one_file(served: Any) -> None:
    """All kinds of flips are in it, forms are not, and nothing refers to a server."""
    old, new = ids()
    page = served.get(f"{url(old, new)}&format=html")
    assert len(page.find(".//article")) == 27
    assert not page.find(".//form")
    assert not page.find(".//script")
    assert not [one for one in page.find(".//*[@href]") if one.attrib["href"] not in {"#main", "data:,"}]


def test_the_chooser_leads_to_what_fits(served: Any) -> None:
    """The newest run is one click from its baseline, the run before and its own models."""
    old, new = ids()
    page = served.get("/compare")
    links = [one.attrib["href"] for one in page.find(".//section[@aria-labelledby='qk']//tbody/tr[1]//a")]
    assert links == [url("main", new), url(old, new), url(new, by="model")]


def test_a_verdict_on_record_stands_on_top(served: Any) -> None:
    """Where a gate judged just these two, its verdict and reason are there; else no verdict is made up."""
    old, new = ids()
    page = whole(served, url("main", new))
    assert page.words(".//h1/span")[0] == "FAIL"
    record = json.loads(Path(f"results/{new}/gates.jsonl").read_text())
    assert record["paragraph"] in page.words(".//div[@id='compared-head']")[0]
    (link,) = page.find(".//p[@class='lead any']/a")
    assert link.attrib["href"] == f"/gates?run={new}&nth=1"
    assert not whole(served, url(old, new)).find(".//h1/span")


def test_what_failed_on_one_side_is_listed_by_itself(
    tmp_path: Path, workdir: Path, serving: Any, answers: Callable[..., Any], suite: Callable[..., Any]
) -> None:
    """An answer that became a failure is neither lost nor wrong: it has a list, and so has the other way."""
    for failed in (0, 3):
        suite([answers("one", 0, failed=failed)])
    old, new = ids()
    with serving(["results"], DashboardSettings(cache=tmp_path / "cache")) as dashboard:
        there = whole(dashboard, url(old, new, flips="failed"))
        back = whole(dashboard, url(new, old, flips="answered"))
        lost = whole(dashboard, url(old, new))
        exported = json.loads(dashboard.get(f"{url(old, new, table='flips')}&format=json").body)
    for page in (there, back):
        assert sorted(page.words(".//article/h3/a")) == ["s17", "s18", "s19"]
    assert "B: no score" in there.words(".//article")[0]
    (reason, *_) = there.words(".//article//span[@class='flr']")
    assert "recorded" in reason or "no answer" in reason
    assert not lost.find(".//article")
    assert [(one["flip"], one["sample"], one["before"], one["after"]) for one in exported] == [
        ("failed", f"s{n}", 1.0, None) for n in (17, 18, 19)
    ]


def test_a_very_long_answer_has_its_true_length(
    tmp_path: Path, workdir: Path, serving: Any, answers: Callable[..., Any], suite: Callable[..., Any]
) -> None:
    """Whether B answered otherwise or not at all; and nothing of it stands on B's side."""
    for text in (["x" * 300_000], ["1"], []):
        model = answers("one", 0)
        others = Path("one.jsonl").read_text().splitlines()[1:]
        own = [json.dumps({"id": "s0", "text": one}) for one in text]
        Path("one.jsonl").write_text("\n".join([*own, *others]))
        suite([model])
    runs = [one.id for one in regrade.api.runs()]
    with serving(["results"], DashboardSettings(cache=tmp_path / "cache")) as dashboard:
        other = whole(dashboard, url(runs[0], runs[1], flips="gained"))
        failed = whole(dashboard, url(runs[0], runs[2], flips="failed"))
    a, b = other.words(".//article/div/div")
    assert a.endswith("x [… 298,000 characters …]")
    assert b == "B: 1, right 1"
    (a, _) = failed.words(".//article/div/div")
    assert a.endswith("x… (first 8,000 of 300,000 characters)")


def test_every_table_is_to_be_had_exactly(served: Any) -> None:
    """Beside each table stand its links to CSV, Parquet and JSON; all flips are in it, not a page of them."""
    old, new = ids()
    page = whole(served, url(old, new))
    hrefs = [one.attrib["href"] for one in page.find(".//main//a[@href]") if "format=" in one.attrib["href"]]
    for name in ("changes", "flips"):
        own = url(old, new, table=name)
        assert {f"{own}&format={form}" for form in ("csv", "parquet", "json")} <= set(hrefs)
        assert served.get(f"{own}&format=csv").status == 200
    flips = json.loads(served.get(f"{url(old, new, table='flips')}&format=json").body)
    assert len(flips) == 27


def test_what_has_nothing_in_common_is_not_offered(
    tmp_path: Path, workdir: Path, serving: Any, answers: Callable[..., Any], suite: Callable[..., Any]
) -> None:
    """A run of another eval than the baseline's is not offered; the typed address says what both hold."""
    regrade.set_baseline("main", suite([answers("one", 0)]))
    new = suite([answers("one", 0)], name="others").id
    with serving(["results"], DashboardSettings(cache=tmp_path / "cache")) as dashboard:
        for page in (f"/run/{new}", "/compare"):
            hrefs = [one.attrib["href"] for one in dashboard.get(page).find(".//main//a[@href]")]
            assert url("main", new) not in hrefs
        said = whole(dashboard, url("main", new)).words(".//main")[0]
    assert "A holds sums/one/default; B holds others/one/default; runs of the same eval compare" in said


def test_flaky_samples_stand_apart(
    tmp_path: Path, workdir: Path, serving: Any, answers: Callable[..., Any], suite: Callable[..., Any]
) -> None:
    """What passes now and then on both sides is neither lost nor gained, and has a list of its own."""
    model = answers("one", 0)
    for wrong in ({("s1", 1), ("s2", 1)}, {("s1", 2), ("s3", 1), ("s3", 2)}):
        given = [
            {"id": f"s{n}", "text": "0" if (f"s{n}", epoch) in wrong else str(2 * n + 1)}
            for n in range(20)
            for epoch in (1, 2)
        ]
        Path("one.jsonl").write_text("".join(json.dumps(row) + "\n" for row in given))
        suite([model], epochs=2)
    old, new = ids()
    with serving(["results"], DashboardSettings(cache=tmp_path / "cache")) as dashboard:
        found = {}
        for kind in ("lost", "gained", "flaky"):
            page = whole(dashboard, url(old, new, flips=kind))
            found[kind] = page.words(".//article/h3/a")
        assert found == {"lost": ["s3"], "gained": ["s2"], "flaky": ["s1"]}
        assert "passes less often with B" in whole(dashboard, url(old, new)).words(".//main")[0]
