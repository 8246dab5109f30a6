"""`regrade gateway --faults` as it is typed."""

from pathlib import Path

import pytest

from regrade.cli.main import main


def test_all_faults_are_listed_one_a_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a terminal 80 columns wide no line is broken."""
    monkeypatch.setenv("COLUMNS", "80")
    assert main(["gateway", "--faults-list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    names = [line.split()[0] for line in lines[3:] if line.strip()]
    assert len(names) == len(set(names)) > 40
    assert {"rate_limit", "cut_stream", "comments"} <= set(names)


def test_a_mistake_in_the_file_is_said_with_its_place(
    workdir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is started; exit code 2."""
    (workdir / "f.yaml").write_text("faults:\n  - {fault: rate_limitt}\n")
    assert main(["gateway", "--demo", "--faults", "f.yaml"]) == 2
    said = capsys.readouterr().err
    assert 'f.yaml:2:13: unknown fault "rate_limitt"' in said
    assert 'did you mean "rate_limit"?' in said
    assert main(["gateway", "--demo", "--faults", "g.yaml"]) == 2
    assert "g.yaml: no such file" in capsys.readouterr().err
