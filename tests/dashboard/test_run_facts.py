"""The line of facts under a run's title: how it ended, and how much of it there is."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from regrade.store.manifest import Manifest

Start = Callable[..., Any]


def ended(results: Path, status: Any, counts: dict[str, int]) -> None:
    """Write the manifest of a run of two models over two evals, named like its status."""
    specs = [{"name": name, "file": f"{name}.yaml", "spec": {"name": name}} for name in ("arith", "tickets")]
    (results / status).mkdir(parents=True)
    Manifest(
        id=status,
        status=status,
        created_at="2026-01-01T00:00:00+00:00",
        finished_at="2026-01-01T00:00:09+00:00",
        models=[{"name": "a"}, {"name": "b"}],
        specs=specs,
        datasets={name: {"samples": 9, "fingerprint": name * 2} for name in ("arith", "tickets")},
        measures={name: [{"scorer": f"{name}-scorer"}] for name in ("arith", "tickets")},
        counts=counts,
    ).write(results / status / "run.json")


def test_an_interrupted_run_says_how_much_is_missing(dashboard: Start, tmp_path: Path) -> None:
    """Of how many requests its counts are; a run that asked all says no more than that."""
    ended(tmp_path / "r", "interrupted", {"planned": 800, "finished": 539, "failed": 397})
    ended(tmp_path / "r", "success", {"planned": 800, "finished": 800, "failed": 1})
    served = dashboard(tmp_path / "r")
    facts = served.get("/run/interrupted").words(".//p[@class='sub']/span")
    assert facts[-1] == "539 of 800 requests, 397 failed"
    assert served.get("/run/success").words(".//p[@class='sub']/span")[-1] == "800 requests, 1 failed"


def test_a_run_with_a_model_that_answered_nothing_has_no_tick(dashboard: Start, tmp_path: Path) -> None:
    """`regrade run` ended with 1 for it: the page and the list show a failure, and the page says why."""
    ended(tmp_path / "r", "success", {"planned": 4, "finished": 4, "failed": 2, "silent": 1})
    served = dashboard(tmp_path / "r")
    page = served.get("/run/success")
    assert page.words(".//p[@class='sub']/span")[0] == "finished in 9 s; 1 of 2 models answered nothing"
    for one in (page, served.get("/runs")):
        assert 'class="g g-failure"' in one.text
        assert 'class="g g-pass"' not in one.text


def test_the_manifest_begins_with_the_eval_that_is_chosen(dashboard: Start, tmp_path: Path) -> None:
    """Its dataset, scorers and spec stand first; without a choice the run's own order holds."""
    ended(tmp_path / "r", "success", {})
    served = dashboard(tmp_path / "r")
    for query, first, then in (("", "arith", "tickets"), ("?eval=tickets", "tickets", "tickets")):
        page = served.get(f"/run/success{query}")
        facts = page.words(".//dl[@class='kv']/div/dd")
        named = [one.partition(":")[0].partition(",")[0] for one in facts[1:3]]
        assert named == [first, then]
        assert page.words(".//summary")[-2].startswith(f"Spec as run: {first}")
