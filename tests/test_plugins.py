"""Plug-ins are found by name and checked when they are found."""

import sys
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from regrade.errors import MissingExtraError, PluginError
from regrade.plugins import BUILT_INS, Kind, Registry


def _registry(**built_ins: str) -> Registry:
    empty: dict[Kind, dict[str, str]] = {kind: {} for kind in BUILT_INS}
    return Registry({**empty, "scorer": built_ins}, installed=lambda _group: [])


@pytest.mark.parametrize("kind", list(BUILT_INS))
def test_every_built_in_loads_and_keeps_its_protocol(kind: str) -> None:
    """The table names only classes that exist and have the method of their kind."""
    registry = Registry()
    for name in BUILT_INS[kind]:  # type: ignore[index]
        plugin = registry.load(kind, name)  # type: ignore[arg-type]
        registry.add(kind, f"again_{name}", plugin)  # type: ignore[arg-type]


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    """A typo names the plug-in that was probably meant."""
    with pytest.raises(PluginError, match='did you mean "exact_match"') as caught:
        Registry(installed=lambda _group: []).load("scorer", "exact_mach")
    assert 'unknown scorer "exact_mach"' in str(caught.value)


def test_an_entry_point_is_found_by_its_name() -> None:
    """A package may bring plug-ins through the entry-point group of their kind."""
    point = EntryPoint("mine", "regrade.scorers.text:ExactMatch", "regrade.scorers")
    registry = Registry(installed=lambda group: [point] if group == "regrade.scorers" else [])
    assert "mine" in registry.names("scorer")
    assert registry.load("scorer", "mine").__name__ == "ExactMatch"


def test_an_object_without_the_method_is_refused_at_once() -> None:
    """What does not keep the protocol is refused when it is named, not at sample 900."""
    with pytest.raises(PluginError, match=r"has no method score\(\)"):
        _registry().add("scorer", "bad", dict)


def test_code_in_a_file_is_found_beside_the_spec(tmp_path: Path) -> None:
    """`file.py:name` is looked for in the folder that is given, and imported once."""
    (tmp_path / "mine.py").write_text(
        "CALLS = []\nclass S:\n    def score(self, context):\n        return 1\n"
    )
    registry = _registry()
    first = registry.load("scorer", "mine.py:S", tmp_path)
    assert registry.load("scorer", "mine.py:S", tmp_path) is first


def test_broken_code_is_one_clear_message(tmp_path: Path) -> None:
    """A file that cannot be imported, or lacks the name, is named with the reason."""
    (tmp_path / "broken.py").write_text("import nothing_of_this_name\n")
    (tmp_path / "other.py").write_text("def score(): ...\n")
    registry = _registry()
    with pytest.raises(PluginError, match=r"broken.py cannot be imported: ModuleNotFoundError"):
        registry.load("scorer", "broken.py:score", tmp_path)
    with pytest.raises(PluginError, match=r'other\.py has no "scor"') as caught:
        registry.load("scorer", "other.py:scor", tmp_path)
    assert 'did you mean "score"' in str(caught.value)
    with pytest.raises(PluginError, match=r"missing.py: no such file"):
        registry.load("scorer", "missing.py:score", tmp_path)


def test_a_missing_package_names_its_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A built-in whose package is not installed says which extra brings it."""
    (tmp_path / "regrade_fake_plugin.py").write_text("import sacrebleu_is_absent\nclass S: ...\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(MissingExtraError, match="pip install 'regrade"):
        _registry(fake="regrade_fake_plugin:S").load("scorer", "fake")
    sys.modules.pop("regrade_fake_plugin", None)
