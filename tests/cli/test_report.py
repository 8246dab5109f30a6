"""`regrade report`: a page of the dashboard as one file that loads nothing."""

import json
from collections.abc import Callable
from pathlib import Path
from xml.etree.ElementTree import Element

import html5lib
import pytest

import regrade
from regrade.cli.main import main

HTML = "{http://www.w3.org/1999/xhtml}"
COUNT = 24
MANY = 240
HIDDEN = "\u202e" * 1_500  # each shows as thirty characters of HTML


def rows(texts: Callable[[int], str], count: int) -> list[dict[str, str]]:
    """Return recorded answers."""
    return [{"id": f"s{n}", "text": texts(n)} for n in range(count)]


def suite(count: int = COUNT, **models: Callable[[int], str]) -> regrade.Run:
    """Run a suite of sums over models of recorded answers."""
    listed = []
    for name, texts in models.items():
        Path(f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows(texts, count)))
        listed.append({"name": name, "outputs": f"{name}.jsonl", "id": "id", "text": "text"})
    spec = {
        "name": "sums",
        "dataset": {
            "rows": [{"id": f"s{n}", "input": f"{n}", "target": str(n)} for n in range(count)],
            "id": "id",
        },
        "models": listed,
        "prompt": "{{ input }}",
        "scorers": ["exact_match"],
    }
    Path("sums.yaml").write_text(json.dumps(spec))
    return regrade.run("sums.yaml")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a baseline and two runs; of the second all answers are wrong and hostile."""
    path = tmp_path_factory.mktemp("reported")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(path)
        first = suite(small=str, large=str)
        regrade.set_baseline("main", first)
        run = suite(small=lambda n: f"<script>{n}</script>", large=str)
        regrade.gate(run, baseline="main", rules=["no_regression exact_match"])
    return path


@pytest.fixture
def here(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in that folder, with a cache of its own."""
    monkeypatch.chdir(folder)
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
    return folder


def read(path: Path) -> Element:
    """Return the page as browsers read it; it has to be HTML without a mistake, and to refer to nothing."""
    parser = html5lib.HTMLParser(strict=False)
    tree: Element = parser.parse(path.read_bytes())
    assert [error for _, error, _ in parser.errors] == []
    for one in tree.iter():
        assert str(one.tag).removeprefix(HTML) not in {"script", "form", "iframe", "object", "base"}
        for name in ("href", "src", "srcset", "action", "data"):
            assert one.attrib.get(name, "data:,") in {"data:,", "#main"}
        assert not any(name.startswith("on") or name == "style" for name in one.attrib)
    return tree


def words(tree: Element, name: str) -> list[str]:
    """Return the text of all elements of a name."""
    return [" ".join("".join(one.itertext()).split()) for one in tree.iter(f"{HTML}{name}")]


@pytest.mark.parametrize(
    ("arguments", "head"),
    [
        ([], "Overview"),
        (["main", "latest"], "against main"),
        (["latest"], "small"),
        (["latest", "--gate"], "FAIL"),
        (["latest", "--page", "models"], "Models of"),
        (["latest,model=small", "latest,model=large"], "large against small"),
    ],
    ids=["overview", "comparison", "run", "gates", "models", "arms"],
)
def test_every_page_is_one_file(
    here: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], head: str
) -> None:
    """It opens without a server, and nothing in it is run or loaded."""
    target = here / "report.html"
    assert main(["report", *arguments, "-o", str(target)]) == 0
    assert f"written: {target}" in capsys.readouterr().out
    assert head in words(read(target), "main")[0]


def test_a_comparison_is_that_of_compare_and_under_five_megabytes(workdir: Path) -> None:
    """Sentences are those of `compare`; flips that would make the file too large are cut, and it says so."""
    regrade.set_baseline("main", suite(MANY, small=str))
    suite(MANY, small=lambda n: f"<script>{n}</script>{HIDDEN}")
    target = workdir / "compared.html"
    regrade.write_report(target, "main", "latest")
    tree = read(target)
    found = regrade.compare("main", "latest")
    assert found.document.paragraph in words(tree, "main")[0]
    assert target.stat().st_size < 5_000_000
    shown = len(words(tree, "article"))
    assert 10 < shown < MANY
    assert f"1\N{EN DASH}{shown} of {MANY}; {MANY - shown} are left out" in words(tree, "main")[0]
    assert "<script>0</script>U+202E" in words(tree, "main")[0]


def test_a_run_from_elsewhere_is_reported_by_its_path(
    here: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Runs and baselines are named by paths as for `compare`; the results folder at hand may be empty.

    The verdict on record is in the head.
    """
    monkeypatch.chdir(tmp_path)
    run = regrade.open_run(results=here / "results")
    regrade.write_report("report.html", here / "results/baselines/main.parquet", run.path)
    assert words(read(Path("report.html")), "h1") == [f"FAIL {run.id} against main"]


def test_three_runs_are_one_file(here: Path) -> None:
    """The file holds every two of them, computed here and now, and how they rank."""
    runs = [one.id for one in regrade.api.runs()]
    target = here / "three.html"
    assert main(["report", "main", runs[0], runs[-1], "-o", str(target)]) == 0
    tree = read(target)
    assert words(tree, "h1") == ["3 runs against each other"]
    said = words(tree, "main")[0]
    assert all(f"{pair} " in said for pair in ("B against A", "C against A", "C against B"))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["main", "latest", "--page", "overview"], "the page overview takes no run; 2 named"),
        (["--page", "compare"], "the page compare takes two runs, or up to eight; 0 named"),
        (["nothing", "latest"], "`regrade runs` lists the runs, `regrade baseline list` the baselines"),
        (["main", "--page", "run"], "main is a baseline"),
        (["-o", "report.pdf"], "a report is HTML"),
        (["-o", "nowhere/report.html"], "there is no folder nowhere"),
        (["latest", "latest"], "would be held against itself"),
        (["latest", "--page", "prompts"], "has one prompt: there is nothing to compare it with in this run"),
    ],
)
def test_what_does_not_fit_is_told(
    here: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    """One message, no file, no traceback."""
    assert main(["report", *arguments]) == 2
    assert said in capsys.readouterr().err
    assert not Path("report.pdf").exists()


def test_without_the_extra_the_export_is_written(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A comparison is still a page; the overview names what to install."""
    monkeypatch.setattr("regrade.dashboard.saving.find_spec", lambda name: None if name == "duckdb" else name)
    assert main(["report", "main", "latest", "-o", "plain.html"]) == 0
    captured = capsys.readouterr()
    assert "pip install 'regrade[dashboard]'" in captured.err
    assert "against main (A)" in words(read(Path("plain.html")), "h1")[0]
    assert main(["report"]) == 1
    assert "regrade[dashboard]" in capsys.readouterr().err
