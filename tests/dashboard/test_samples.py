"""The samples of a run: the table's filters, order and pages, and the story of one sample."""

import contextlib
import csv
import io
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pyarrow.parquet as pq
import pytest

import regrade
from regrade.addresses import SamplesAddress, sample_ref
from regrade.api import SampleFilter, sample_records, set_baseline
from regrade.dashboard.settings import DashboardSettings
from regrade.types import Key

Start = Callable[..., Any]
Model = Callable[..., dict[str, Any]]
Suite = Callable[..., regrade.Run]


@dataclass
class Served:
    """Two runs of an eval over two models, 60 samples each.

    Attributes:
        folder: Where they lie.
        first: The baseline `main`.
        run: The run that is looked at: `fair` has 20 wrong and 3 failed answers.
        dashboard: Over them.
    """

    folder: Path
    first: regrade.Run
    run: regrade.Run
    dashboard: Any

    def get(self, **asked: str) -> Any:
        """Ask for the samples page, in the order that addresses have."""
        known = {name: text for name, text in asked.items() if "." not in name}
        path = SamplesAddress(self.run.id).url()
        return self.dashboard.get(f"{path}?{urlencode({**asked, **known})}" if asked else path)


@pytest.fixture(scope="module")
def served(
    tmp_path_factory: pytest.TempPathFactory, suite: Suite, answers: Model, serving: Any
) -> Iterator[Served]:
    """Give the runs with a dashboard over them; to be read only."""
    folder = tmp_path_factory.mktemp("samples")
    with contextlib.chdir(folder):
        first = suite([answers("good", 2, count=60), answers("fair", 4, count=60)], count=60)
        set_baseline("main", first)
        run = suite([answers("good", 2, count=60), answers("fair", 20, failed=3, count=60)], count=60)
    with serving([folder / "results"], DashboardSettings(cache=folder / "cache")) as dashboard:
        yield Served(folder.resolve(), first, run, dashboard)


def names(page: Any) -> list[str]:
    """Return the ids of the rows."""
    found: list[str] = page.words(".//tbody/tr/td/a")
    return found


def chips(page: Any) -> dict[str, str]:
    """Return the chips and their counts."""
    return dict(one.rpartition(" ")[::2] for one in page.words(".//a[@class='chip']"))


def test_counts_are_those_of_show(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """Chips count what `regrade show --wrong` and `--failed` list, and what the baseline had right."""
    monkeypatch.chdir(served.folder)
    found = chips(served.get())
    shown = {"all": SampleFilter(), "wrong": SampleFilter(wrong=True), "failed": SampleFilter(failed=True)}
    for name, chosen in shown.items():
        assert int(found[name]) == sample_records(served.run, chosen, 1)[1]
    assert found == {"all": "120", "right": "95", "wrong": "22", "failed": "3", "was right in main": "114"}


def test_a_baseline_of_other_evals_is_not_offered(
    dashboard: Start, workdir: Path, run: Suite, model: Model
) -> None:
    """What a baseline without a run's eval had right cannot be asked for."""
    set_baseline("main", run([model("good", 2)], name="other"))
    sums = run([model("good", 2)])
    page = dashboard().get(SamplesAddress(sums.id).url())
    assert set(chips(page)) == {"all", "right", "wrong", "failed"}
    assert page.find(".//select[@name='right']") == []


def test_rows_keep_below_twelve_elements(served: Served) -> None:
    """A thousand of them stay light."""
    for row in served.get().find(".//tbody/tr"):
        assert len(list(row.iter())) < 12


@pytest.mark.parametrize(
    ("asked", "count"),
    [
        ({"outcome": "wrong"}, 22),
        ({"outcome": "wrong,failure"}, 25),
        ({"model": "good"}, 60),
        ({"model": "fair", "outcome": "failure"}, 3),
        ({"outcome": "wrong", "right": "main"}, 16),
        ({"q": "12+13"}, 2),
        ({"score.exact_match": "0..0.5"}, 22),
        ({"score.exact_match": "1"}, 95),
        ({"kind": "missing_output"}, 3),
        ({"eval": "sums"}, 120),
    ],
)
def test_filters(served: Served, asked: dict[str, str], count: int) -> None:
    """Each narrows the table; the line below says which rows of how many."""
    page = served.get(**asked)
    assert len(names(page)) == min(count, 100)
    said = page.words(".//div[@class='pager']/span")[0]
    assert said.startswith(f"1\N{EN DASH}{min(count, 100)} of {count}")


def test_pages_follow_each_other_and_back(served: Served) -> None:
    """Every row once, in order, whatever it is sorted by; the way back shows the same pages."""
    for sort in ("", "-latency"):
        href = SamplesAddress(served.run.id, sort=sort, per="20").url()
        pages, said, page = [], [], None
        while href:
            page = served.dashboard.get(href)
            pages.append(names(page))
            said.append(page.words(".//div[@class='pager']/span")[0].partition(" ")[0])
            href = next((one.attrib["href"] for one in page.find(".//a[@rel='next']")), "")
        assert page is not None
        assert [len(one) for one in pages] == [20] * 6
        assert said[0] == "1\N{EN DASH}20"
        assert said[-1] == "101\N{EN DASH}120"
        back = page.find(".//a[@rel='prev']")[0].attrib["href"]
        before = served.dashboard.get(back)
        assert names(before) == pages[-2]
        assert before.words(".//div[@class='pager']/span")[0].startswith("81\N{EN DASH}100 of 120")


def test_a_thousand_rows_come_in_chunks(served: Served) -> None:
    """Bodies of a hundred rows, so that a browser lays them out bit by bit."""
    page = served.get(per="1000")
    assert [len(list(body)) for body in page.find(".//table[@class='usual']/tbody")] == [100, 20]


def test_a_filter_that_fits_nothing_says_what_to_drop(served: Served) -> None:
    """A model that is gone stays chosen with 0; the notice offers to drop each filter."""
    page = served.get(model="gone", outcome="wrong")
    assert page.status == 200
    assert names(page) == []
    assert "gone (0)" in page.words(".//details[@id='models']//label")
    links = {one.text: one.attrib["href"] for one in page.find(".//div[@class='list']//a")}
    assert links["drop model gone"] == SamplesAddress(served.run.id, outcome=("wrong",)).url()
    assert links["drop all filters"] == SamplesAddress(served.run.id).url()


@pytest.mark.parametrize(
    "asked",
    [
        {"outcome": "odd"},
        {"score.gone": "1"},
        {"cell": "gone,a,b"},
        {"right": "gone"},
        {"by": "gone"},
    ],
)
def test_what_is_not_there_any_more_is_told(served: Served, asked: dict[str, str]) -> None:
    """Nothing fits, and the notice says which filter to drop."""
    page = served.get(**asked)
    assert page.status == 200
    assert names(page) == []
    assert page.find(".//div[@id='notices']//a")[0].attrib["href"] == SamplesAddress(served.run.id).url()


@pytest.mark.parametrize(
    "asked", [{"sort": "gone"}, {"cols": "gone"}, {"after": "x"}, {"score.exact_match": "a"}]
)
def test_what_cannot_be_understood_is_left_out_and_told(served: Served, asked: dict[str, str]) -> None:
    """The table is shown as if it were not there."""
    page = served.get(**asked)
    assert len(names(page)) == 100
    assert page.find(".//div[@id='notices']//a")


def test_columns_can_be_chosen(served: Served) -> None:
    """The address says which; numbers stand right and sort on a click."""
    page = served.get(cols="latency_s,text,score.exact_match")
    assert page.words(".//thead//th")[2:] == ["latency_s", "text", "score.exact_match"]
    assert (
        page.find(".//thead//a[@href]")[1]
        .attrib["href"]
        .startswith(SamplesAddress(served.run.id, sort="-latency").url())
    )
    chosen = [one.attrib["value"] for one in page.find(".//details[@id='columns']//input[@checked]")]
    assert chosen == ["latency_s", "text", "score.exact_match"]


def test_empty_fields_of_a_form_ask_for_nothing(served: Served) -> None:
    """Without script a form sends them all; the address is cleared of them."""
    answer = served.dashboard.get(
        f"/run/{served.run.id}/samples?q=&model=good&meta.x=&score.exact_match=&sort="
    )
    assert answer.status == 303
    assert answer.headers["location"] == SamplesAddress(served.run.id, model=("good",)).url()


def ref(model: str, name: str) -> str:
    """Return the address of a sample."""
    return sample_ref(Key("sums", "default", model, name, 1))


def test_a_story_tells_all(served: Served) -> None:
    """Question, answer, target, score, other models, earlier runs, and why there is no request."""
    page = served.get(open=ref("fair", "s7"))
    (story,) = page.words(".//article[@id='sample']")
    for part in ("s7", "WRONG", "7+8", "target 15", "exact_match", "Other models", "good", "Last runs",
                 "No request was sent over HTTP"):  # fmt: skip
        assert part in story, part
    marks = [one for row in page.find(".//ul[@class='hist']/li") for one in row.iter()]
    past = [one.attrib["aria-label"] for one in marks if "aria-label" in one.attrib]
    assert past == [f"{served.first.id}: right", "this run: wrong"]


def test_a_failure_has_no_answer_but_its_reason(served: Served) -> None:
    """Its own word, and why."""
    (story,) = served.get(open=ref("fair", "s59")).words(".//article[@id='sample']")
    assert "FAILED" in story
    assert "no answer: missing output" in story


def test_the_next_story_is_that_of_the_next_row(served: Served) -> None:
    """Also over the end of a page, and back."""
    page = served.get(outcome="wrong", per="20", open=ref("fair", "s17"))
    seen = []
    for _ in range(3):
        seen.append(page.words(".//h2[@id='sid']")[0].split()[0])
        href = page.find(".//a[@data-key='j']")
        if not href:
            break
        page = served.dashboard.get(href[0].attrib["href"])
        if page.status == 303:
            page = served.dashboard.get(page.headers["location"])
    assert seen == ["s17", "s18", "s19"]
    back = served.dashboard.get(page.find(".//a[@data-key='k']")[0].attrib["href"])
    back = back if back.status == 200 else served.dashboard.get(back.headers["location"])
    assert back.words(".//h2[@id='sid']")[0].startswith("s18")


def test_a_link_to_a_sample_opens_its_part_of_the_table(served: Served) -> None:
    """An id alone is enough; the table begins with it where it is not on the first page."""
    page = served.get(per="20", open="s50")
    assert page.words(".//h2[@id='sid']")[0].startswith("s50")
    assert names(page)[0] == "s50"
    assert page.find(".//tr[@class='on']/td/a")[0].attrib["aria-current"] == "true"


def test_exports_hold_what_fits(served: Served) -> None:
    """CSV, Parquet and JSON of the filtered table, whole texts, with the outcome."""
    asked = {"model": "fair", "outcome": "wrong"}
    rows = json.loads(served.get(**asked, format="json").body)
    assert len(rows) == 20
    assert {row["outcome"] for row in rows} == {"wrong"}
    table = pq.read_table(io.BytesIO(served.get(**asked, format="parquet").body))
    assert table.column("sample_id").to_pylist() == [row["sample_id"] for row in rows]
    listed = list(csv.DictReader(io.StringIO(served.get(**asked, cols="text", format="csv").text)))
    assert [row["text"] for row in listed] == ["0"] * 20
    assert list(listed[0]) == ["eval", "prompt", "model", "sample_id", "epoch", "outcome", "text"]
    assert served.get(model="gone", format="csv").text.count("\n") == 1


def test_a_story_counts_the_epochs_of_its_own_eval(dashboard: Start, run: Suite, model: Model) -> None:
    """One that is asked once has no word of epochs, though another eval of the run asks thrice."""
    run([model("good", 0)], name="often", epochs=3)
    run([model("good", 0)], name="once")
    found, served = regrade.run(["often.yaml", "once.yaml"]), dashboard()
    for name, epochs in (("often", True), ("once", False)):
        page = served.get(SamplesAddress(found.id, eval=name, open="s0").url())
        assert page.words(".//h2[@id='sid']") != []
        assert ("of 3" in page.words(".//article")[0]) == epochs


def test_the_place_of_the_top_bar_leads_to_the_newest(served: Served) -> None:
    """And to a run that is chosen."""
    assert served.dashboard.get("/samples").headers["location"] == SamplesAddress(served.run.id).url()
    chosen = served.dashboard.get(f"/samples?run={served.first.id}")
    assert chosen.headers["location"] == SamplesAddress(served.first.id).url()


def test_a_sample_that_is_not_there_is_told(served: Served) -> None:
    """The table stays."""
    page = served.get(open="nobody")
    assert page.status == 200
    assert 'The run has no sample "nobody"' in page.words(".//div[@id='notices']")[0]


def test_an_id_with_a_comma_is_found_as_lists_write_it_too(
    dashboard: Start, run: Suite, model: Model
) -> None:
    """With a backslash and without, by its story and by its texts; one that has a backslash comes first."""
    ids, good = ["a,b", "c\\,d", "c,d"], model("good", 0, count=0)
    rows = [{"id": one, "input": one, "target": one} for one in ids]
    Path(good["outputs"]).write_text("".join(json.dumps({"id": one, "text": one}) + "\n" for one in ids))
    found, served = run([good], dataset={"rows": rows, "id": "id"}), dashboard()
    for asked, one in (("a,b", "a,b"), ("a\\,b", "a,b"), ("c\\,d", "c\\,d"), ("c\\\\\\,d", "c\\,d")):
        page = served.get(f"/run/{found.id}/samples?open={quote(asked)}")
        assert page.words(".//article[@id='sample']//h2") == [f"{one} RIGHT"]
        assert served.get(f"/run/{found.id}/text?open={quote(asked)}").words(".//pre") == [one]


def test_keys_show_only_what_they_say(served: Served) -> None:
    """Chips add up; `w` and `f` show wrong answers alone, failures alone, and all again."""
    page = served.get(outcome="wrong")
    wrong, failed = (page.find(f".//a[@data-key='{key}']")[0].attrib["href"] for key in "wf")
    assert failed == SamplesAddress(served.run.id, outcome=("failure",)).url()
    assert wrong == SamplesAddress(served.run.id).url()


def test_long_texts_have_a_page_and_a_file(served: Served) -> None:
    """Of any part of a sample; an unknown one is no page."""
    query = f"open={quote(ref('fair', 's7'), safe=':,/')}"
    page = served.dashboard.get(f"/run/{served.run.id}/text?{query}")
    assert page.words(".//pre") == ["0"]
    saved = served.dashboard.get(f"/run/{served.run.id}/text/file?{query}")
    assert (saved.text, saved.headers["content-type"]) == ("0", "text/plain; charset=utf-8")
    assert saved.headers["content-disposition"].startswith("attachment")
    assert served.dashboard.get(f"/run/{served.run.id}/text?open=nobody").status == 404
