"""What the command line of pytest says about evals."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

RULES = [
    {"rule": "no_regression", "metric": "exact_match", "against": "good"},
    {"rule": "at_least", "metric": "exact_match", "value": 0.9},
    {"rule": "at_least", "metric": "exact_match", "value": 0.1, "models": "good"},
]
GATE = {"baseline": "main", "rules": RULES}


def test_one_model_and_some_samples(project: Any) -> None:
    """`--regrade-model` and `--regrade-limit` say what is asked; items of others count as deselected."""
    project.write("evals/sums.yaml", gate=GATE)
    said = project.pytest("evals", "--regrade-model=bad", "--regrade-limit=10%")
    assert said.counts == {"failed": 2, "deselected": 3}, said.text
    (run,) = project.runs()
    assert [one["name"] for one in run["models"]] == ["bad"]
    assert run["counts"]["finished"] == 12


def test_a_node_id_asks_no_other_model(project: Any) -> None:
    """An item goes by the name that pytest prints, and only its model is paid for."""
    project.write("evals/sums.yaml", gate=GATE)
    (project.path / "pytest.ini").write_text("[pytest]\nregrade_results = evals/out\n")
    (project.path / "results").rename(project.path / "evals/out")
    said = project.pytest("evals/sums.yaml::good: at_least exact_match 0.9", "-v")
    assert said.counts == {"passed": 1}, said.text
    assert "evals/sums.yaml::good: at_least exact_match 0.9 PASSED" in said.text
    (path,) = project.path.glob("evals/out/*/run.json")
    assert '"name":"good"' in path.read_text().replace(" ", "")
    assert not (project.path / "results").exists()


def test_workers_buy_every_answer_once(
    project: Any, serve: Callable[..., Any], answer: Callable[..., dict[str, Any]]
) -> None:
    """With `-n 2` one worker runs the eval and the other one reads its run, though both hold items of it."""

    async def add(request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        number = int(body["messages"][-1]["content"].split("+")[0])
        return web.json_response(answer(str(number + 1)))

    endpoint = serve(add)
    models = [{"name": name, "base_url": endpoint.base_url} for name in ("a", "b")]
    limits = [{"rule": "at_least", "metric": "exact_match", "value": value} for value in (0.1, 0.2, 0.3)]
    project.write("evals/live.yaml", models=models, gate={"rules": limits})
    said = project.pytest("evals", "-n2", "--dist=load", "--regrade-limit=10")
    assert said.counts == {"passed": 6}, said.text
    assert len(endpoint.bodies) == 20
    assert len(project.runs()) == 1
    assert not (project.path / "results/.pytest").exists()


HEAVY = """
def pytest_sessionfinish():
    import sys
    heavy = {"numpy", "pyarrow", "pydantic", "aiohttp", "rich", "scipy", "ruamel", "jinja2", "orjson"}
    inner = {name for name in sys.modules if name.startswith("regrade.") and "pytest_plugin" not in name}
    print("LOADED", sorted(heavy & {name.partition(".")[0] for name in sys.modules}), sorted(inner))
"""


@pytest.mark.parametrize("arguments", [("tests",), ()])
def test_a_session_without_evals_loads_nothing_heavy(project: Any, arguments: tuple[str, ...]) -> None:
    """A plain session imports nothing else of regrade; specs it was not asked for are named at its end."""
    project.write("evals/sums.yaml")
    (project.path / "conftest.py").write_text(HEAVY)
    (project.path / "tests").mkdir()
    (project.path / "tests/test_plain.py").write_text("def test_plain(): pass\n")
    said = project.pytest("-s", *arguments)
    assert said.counts == {"passed": 1}
    assert "LOADED [] []" in said.text
    assert ("not run: evals/sums.yaml; evals may cost money" in said.text) == (not arguments)


def test_an_option_that_is_none_is_refused(project: Any) -> None:
    """A limit is a count or a fraction."""
    said = project.pytest("--regrade-limit=1.5")
    assert said.code == 4
    assert "'1.5' is neither a count nor a fraction between 0 and 1" in said.text


def test_the_page_names_every_option(project: Any) -> None:
    """`docs/pytest.md` and `pytest --help` speak of the same options."""
    page = (Path(__file__).parents[2] / "docs/pytest.md").read_text(encoding="utf-8")
    said = project.pytest("--help")
    pattern = r"--regrade-\w+|regrade_results"
    assert set(re.findall(pattern, page)) == set(re.findall(pattern, said.text))
