"""One run a session, whatever becomes of the workers, and what its items say."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from aiohttp import web

import regrade
from regrade.api.rules import planned_gate
from regrade.api.specs import load_specs
from regrade.plugins import Registry
from regrade.pytest_plugin.cases import Case
from regrade.pytest_plugin.findings import answered, judged
from regrade.pytest_plugin.running import EvalSession
from regrade.pytest_plugin.settings import Settings
from regrade.pytest_plugin.summing import summary_lines


@pytest.fixture
def here(project: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Work in the folder of a project."""
    monkeypatch.chdir(project.path)
    return project


def session(path: Path, name: str | None = None, **changes: Any) -> EvalSession:
    """Return the eval of a spec in a session of that name."""
    said = {"results": Path("results").absolute(), "models": None, "limit": None, "baseline": None}
    settings = Settings(**(said | changes), session=name)
    registry = Registry()
    (file,) = load_specs([path], registry)
    rules = tuple(rule for one in planned_gate([file], []).sets for rule in one.rules)
    return EvalSession(path, file.spec.name, settings, registry, rules)


def test_workers_of_a_session_share_a_run(here: Any, recorded: Callable[[str], Any]) -> None:
    """The second worker opens the run of the first; another session makes one of its own."""
    path = here.write("evals/sums.yaml", models=[recorded("good")])
    workers = [session(path, name) for name in ("s", "s", "t")]
    for one in workers:
        assert one.prepare(None) is None
        assert one.prepare(None) is None
    first, second, other = (one.outcome.run.id for one in workers)
    assert first == second != other
    assert len(here.runs()) == 2


def test_what_a_dead_worker_began_is_completed(here: Any, recorded: Callable[[str], Any]) -> None:
    """The next worker resumes the run: answers that were bought are not bought again."""
    path = here.write("evals/sums.yaml", models=[recorded("good")])
    first = session(path, "s")
    first.prepare(None)
    (note,) = Path("results/.pytest/s").glob("*.json")
    note.write_text(f'{{"run": "{first.outcome.run.id}"}}')
    second = session(path, "s")
    assert second.prepare(None) is None
    assert second.outcome.run.id == first.outcome.run.id
    assert second.outcome.run.manifest.counts["recalled"] == 120


def test_workers_share_what_keeps_an_eval_from_running(here: Any, recorded: Callable[[str], Any]) -> None:
    """A fault is found once, and said by every item of every worker."""
    rows = Path("evals/rows.jsonl")
    kept = rows.read_text()
    path = here.write("evals/sums.yaml", models=[recorded("good")])
    rows.unlink()
    first, second = session(path, "s"), session(path, "s")
    error = first.prepare(None)
    rows.write_text(kept)
    assert "rows.jsonl" in str(error)
    assert first.prepare(None) is error
    assert str(second.prepare(None)) == str(error)


@pytest.mark.parametrize(
    ("gate", "message"),
    [
        ({"baseline": "nix"}, 'no run or baseline "nix"'),
        ({}, "the gate compares, and names nothing to compare with"),
    ],
)
def test_a_gate_that_cannot_be_judged_costs_nothing(
    here: Any, recorded: Callable[[str], Any], gate: dict[str, Any], message: str
) -> None:
    """A baseline that does not exist is said before the eval runs."""
    rules = [{"rule": "no_regression", "metric": "exact_match"}]
    path = here.write("evals/sums.yaml", models=[recorded("good")], gate={**gate, "rules": rules})
    assert message in str(session(path).prepare(None))
    assert here.runs() == []


def test_answers_that_a_baseline_does_not_keep_are_said_to_be_missing(
    here: Any, recorded: Callable[[str], Any]
) -> None:
    """A baseline without texts still shows which samples changed sides, and what the candidate said."""
    rules = [{"rule": "no_regression", "metric": "exact_match", "against": "good"}]
    path = here.write("evals/sums.yaml")
    run = regrade.run(path, models=["good"])
    regrade.set_baseline("bare", run.id)
    here.write("evals/sums.yaml", models=[recorded("bad")], gate={"baseline": "bare", "rules": rules})
    one = session(path)
    assert one.prepare(None) is None
    case = Case("bad: no_regression exact_match against=good", "bad", "bad", "default", one.rules[0])
    short, full = (judged(one.outcome, case, frozenset(), full=full).text for full in (False, True))
    assert "    A: (not stored)\n    B: [ESC][31mno idea\n" in short
    assert (short.count("  lost: "), full.count("  lost: ")) == (3, 40)


def test_a_glob_passes_when_all_its_models_do(
    here: Any, serve: Callable[..., Any], answer: Callable[..., dict[str, Any]]
) -> None:
    """Its item tells of every model that the endpoint listed, but for those with items of their own."""

    async def add(request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        number = int(body["messages"][-1]["content"].split("+")[0])
        return web.json_response(answer(str(number + (body["model"] != "g/weak"))))

    endpoint = serve(add)
    endpoint.models += ["g/strong", "g/weak", "g/own", "h/other"]
    models = [{"name": name, "base_url": endpoint.base_url} for name in ("g/*", "g/own")]
    rules = [{"rule": "at_least", "metric": "exact_match", "value": 0.9}]
    path = here.write("evals/sums.yaml", models=models, gate={"rules": rules})
    one = session(path, limit=5)
    assert one.prepare(None) is None
    case = Case("g/*: at_least exact_match 0.9", "g/*", "g/*", "default", one.rules[0])
    found = judged(one.outcome, case, frozenset({"g/own"}), full=False)
    assert not found.harmless
    assert re.search("PASS: sums: exact_match .*g/strong", found.text)
    assert re.search("FAIL: sums: exact_match .*g/weak", found.text)
    assert "g/own" not in found.text
    nobody = judged(one.outcome, replace(case, model="nobody"), frozenset(), full=False)
    assert not nobody.harmless
    assert "says nothing of" in nobody.text


def test_without_an_answer_there_is_no_verdict(here: Any, recorded: Callable[[str], Any]) -> None:
    """A run of which every request failed is judged by nobody, and its items say why."""
    rules = [{"rule": "at_most", "metric": "failure_rate", "value": 1}]
    path = here.write("evals/sums.yaml", models=[recorded("silent")], gate={"rules": rules})
    one = session(path)
    assert one.prepare(None) is None
    assert one.outcome.gated is None
    case = Case("silent: at_most failure_rate 1", "silent", "silent", "default", one.rules[0])
    found = answered(one.outcome.run, case, frozenset())
    assert not found.harmless
    assert "none of the 120 requests to silent was answered" in found.text
    assert "was asked nothing" in answered(one.outcome.run, replace(case, model="x"), frozenset()).text


def test_only_the_models_of_the_items_are_asked(here: Any) -> None:
    """Rules about others are left out of the gate then, which else would refuse the run."""
    rules = [
        {"rule": "at_least", "metric": "exact_match", "value": 0.9},
        {"rule": "at_least", "metric": "exact_match", "value": 0.5, "models": ["bad"]},
    ]
    path = here.write("evals/sums.yaml", gate={"rules": rules})
    one = session(path)
    assert one.prepare(["good"]) is None
    assert one.outcome.gated is not None
    assert [verdict.rule.text for verdict in one.outcome.gated.verdicts] == ["at_least exact_match 0.9"]
    case = Case("good: at_least exact_match 0.9", "good", "good", "default", one.rules[0])
    assert judged(one.outcome, case, frozenset({"good", "bad"}), full=False).harmless


def test_the_end_of_a_session_names_runs_and_what_passed_unseen() -> None:
    """Node ids are shown as they are collected, without what xdist adds to them."""

    def report(node: str, **said: str) -> SimpleNamespace:
        properties = [(f"regrade_{name}", value) for name, value in said.items()]
        return SimpleNamespace(nodeid=node, when="call", passed=True, user_properties=properties)

    reports = [
        report("e/a.yaml::m@1: completed@e/a.yaml", run="r1", gate="none"),
        report("e/b.yaml::m: at_least x 1", run="r2", let_through="yes"),
        report("test_a.py::test_a"),
    ]
    assert summary_lines(reports, []) == [
        "e/a.yaml: run r1",
        "e/b.yaml: run r2",
        "no gate, so that answers alone pass: e/a.yaml::m@1: completed",
        "inconclusive, let through by `on_inconclusive: pass`: e/b.yaml::m: at_least x 1",
    ]
    (line,) = summary_lines([], [f"e/{name}.yaml" for name in "abcdefg"])
    assert line.startswith("not run: e/a.yaml, e/b.yaml, e/c.yaml, e/d.yaml, e/e.yaml and 2 more; ")
    assert line.endswith("such as `pytest e`")
