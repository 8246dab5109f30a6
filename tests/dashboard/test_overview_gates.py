"""The overview's verdicts: each stands beside the values that were put through its gate, no others."""

import csv
import io
import json
from collections.abc import Callable
from typing import Any

import pytest

import regrade
from regrade.api import set_baseline

Start = Callable[..., Any]
Model = Callable[..., dict[str, Any]]
Suite = Callable[..., regrade.Run]
RULE = ["no_regression accuracy"]


def facts(served: Any) -> tuple[str, str, list[str], list[dict[str, str]]]:
    """Return the row's gate cell, the card of gates, what needs a look, and the rows as CSV."""
    table = list(csv.DictReader(io.StringIO(served.get("/?format=csv").text)))  # waits for the changes
    page = served.get("/")
    (cell,) = page.words(".//table/tbody/tr/td[@class='gt']")
    (card,) = page.words(".//section[@aria-labelledby='gs']")
    return cell, card, page.words(".//ul[@class='attn']/li"), table


@pytest.fixture
def gated(run: Suite, model: Model) -> Callable[[int], regrade.Run]:
    """Return what runs two models, the second with so many wrong answers of 20, after a baseline of none."""

    def again(wrong: int) -> regrade.Run:
        return run([model("calm", 1), model("fell", wrong)])

    set_baseline("main", again(0))
    return again


def test_a_verdict_is_that_of_the_values_that_were_gated(
    dashboard: Start, gated: Callable[[int], regrade.Run]
) -> None:
    """A run without a gate after one with PASS: no PASS beside its values anywhere."""
    regrade.gate(gated(0).id, baseline="main", rules=RULE)
    newest = gated(20)
    served = dashboard()
    cell, card, items, table = facts(served)
    assert cell.startswith("no gate")
    assert "PASS of an older run, " in cell
    assert "1 not gated" in card
    assert "exit code" not in card
    assert [one.split()[0] for one in items] == ["WORSE", "NOT"]
    said = "NOT GATED sums: these values were put through no gate. The last verdict was PASS, on older ones."
    assert items[1].startswith(said)
    assert {(one["run"], one["gate"]) for one in table} == {(newest.id, "")}
    saved = served.get("/?format=html")
    assert saved.words(".//td[@class='gt']")[0].startswith("no gate")
    assert "exit code" not in saved.text


def test_a_failed_gate_of_an_older_run_hides_no_loss_of_the_newest(
    dashboard: Start, gated: Callable[[int], regrade.Run]
) -> None:
    """The loss is told though an older gate failed for the same model; that FAIL is said to be older."""
    regrade.gate(gated(15).id, baseline="main", rules=RULE)
    gated(18)
    cell, card, items, _ = facts(dashboard())
    assert "FAIL of an older run" in cell
    assert "1 FAIL" not in card
    assert items[0].startswith("WORSE sums on fell fell by 90 points since the baseline main")
    assert items[-1].startswith("NOT GATED sums: these values were put through no gate. The last one, ")
    assert items[-1].endswith(" said FAIL. Why")


def test_an_exported_verdict_belongs_to_the_run_of_its_row(
    dashboard: Start, run: Suite, model: Model
) -> None:
    """Models run one by one: each row has the verdict of its own run, or none."""
    set_baseline("main", run([model("first", 0)]))
    first = run([model("first", 0)])
    regrade.gate(first.id, baseline="main", rules=RULE)
    second = run([model("second", 0)])
    _, _, _, table = facts(dashboard())
    assert {one["run"]: one["gate"] for one in table} == {first.id: "PASS", second.id: ""}


def test_a_worse_gate_of_the_same_values_stays_in_sight(
    dashboard: Start, gated: Callable[[int], regrade.Run]
) -> None:
    """Gated again by softer rules, a run has the newest verdict and the earlier FAIL with its link."""
    newest = gated(1).id
    regrade.gate(newest, baseline="main", rules=["at_least accuracy 0.99"])
    regrade.gate(newest, baseline="main", rules=RULE)
    page = dashboard().get("/")
    assert page.words(".//td[@class='gt']")[0].endswith("FAIL by an earlier gate")
    links = [one.attrib["href"] for one in page.find(".//td[@class='gt']//a")]
    assert links[-1] == f"/gates?eval=sums&run={newest}&nth=1"


def test_a_verdict_does_not_outlive_the_values_that_it_judged(
    dashboard: Start, gated: Callable[[int], regrade.Run]
) -> None:
    """A run that went on after its gate, to ask again what had failed, has other values: that is said."""
    newest = gated(0)
    regrade.gate(newest.id, baseline="main", rules=RULE)
    path = newest.folder.path / "run.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "finished_at": "2126-11-26T11:00:00+00:00"}))
    served = dashboard()
    cell, card, _, table = facts(served)
    assert "PASS of before it went on" in cell
    (verdict,) = served.get(f"/run/{newest.id}").words(".//section[@id='verdict']")
    assert "the run went on since" in verdict
    assert "1 not gated" in card
    assert {one["gate"] for one in table} == {""}


def test_a_gate_of_one_model_says_nothing_of_the_others(
    dashboard: Start, gated: Callable[[int], regrade.Run]
) -> None:
    """The cell names the model that was judged; in an export the others have no verdict."""
    regrade.gate(f"{gated(20).id},model=calm", baseline="main,model=calm", rules=RULE)
    cell, _, items, table = facts(dashboard())
    assert "PASS" in cell
    assert "of calm alone" in cell
    assert {one["model"]: one["gate"] for one in table} == {"calm": "PASS", "fell": ""}
    assert items[0].startswith("WORSE sums on fell")
