"""Which items a spec has, without running it."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from regrade.api.options import RunOptions
from regrade.api.prepare import prepare
from regrade.api.rules import planned_gate
from regrade.api.specs import load_specs
from regrade.errors import SpecError
from regrade.plugins import Registry
from regrade.pytest_plugin.cases import Case, cases_of, fits
from regrade.pytest_plugin.sighting import looks_like_spec

HEAD = "name: a\ndataset: {rows: [{id: x, input: i, target: t}], id: id}\nscorers: [exact_match]\n"
RULES = "gate:\n  rules:\n"


def listed(text: str, chosen: Sequence[str] | None = None) -> list[Case]:
    """Return the items of a spec."""
    path = Path("a.yaml")
    path.write_text(HEAD + text)
    registry = Registry()
    (file,) = load_specs([path], registry)
    rules = [rule for one in planned_gate([file], []).sets for rule in one.rules]
    return cases_of(file, prepare(file, registry, RunOptions()).prompts, rules, chosen)


def names(text: str, chosen: Sequence[str] | None = None) -> list[str]:
    """Return the names of the items of a spec, those left out in brackets."""
    return [one.name if one.wanted else f"({one.name})" for one in listed(text, chosen)]


@pytest.mark.usefixtures("workdir")
class TestNames:
    """Names of items."""

    def test_one_item_for_model_prompt_and_rule(self) -> None:
        """Prompts are named when they have names, matrix values included; a rule may choose among them."""
        text = (
            "models: [m]\nprompts: {short: '{{ input }}', long: '{{ tone }} {{ input }}'}\n"
            "matrix: {tone: [dry]}\n" + RULES + "    - {rule: at_least, metric: exact_match, value: 0.5}\n"
            "    - {rule: at_most, metric: failure_rate, value: 0, prompts: ['short[tone=dry]']}\n"
        )
        assert names(text) == [
            "m [short[tone=dry]]: at_least exact_match 0.5",
            "m [short[tone=dry]]: at_most failure_rate 0",
            "m [long[tone=dry]]: at_least exact_match 0.5",
        ]

    def test_rules_that_are_written_alike_are_numbered(self) -> None:
        """Every rule keeps an item of its own."""
        text = "models: [m, n]\nprompt: '{{ input }}'\n" + RULES
        text += "    - {rule: at_least, metric: exact_match, value: 1}\n"
        text += "    - {rule: at_least, metric: exact_match, value: 1, models: m}\n"
        assert names(text) == [
            "m: at_least exact_match 1",
            "m: at_least exact_match 1 (2)",
            "n: at_least exact_match 1",
        ]

    def test_a_glob_is_one_item_and_a_rule_may_name_what_it_brings(self) -> None:
        """Which models a glob means is known when the run has asked, so its item keeps its name."""
        text = "models: ['g/*', m]\nprompt: '{{ input }}'\n" + RULES
        text += "    - {rule: at_most, metric: failure_rate, value: 0}\n"
        text += "    - {rule: at_least, metric: exact_match, value: 0.5, models: [g/one]}\n"
        found = listed(text)
        assert [one.name for one in found] == [
            "g/*: at_most failure_rate 0",
            "g/one: at_least exact_match 0.5",
            "m: at_most failure_rate 0",
        ]
        assert [one.source for one in found] == ["g/*", "g/*", "m"]
        glob = found[0]
        assert fits("g/one", glob, frozenset({"m"}))
        assert not fits("h/one", glob, frozenset({"m"}))
        assert not fits("g/one", glob, frozenset({"g/one"}))

    def test_models_of_the_command_line_are_chosen_or_added(self) -> None:
        """As in `regrade run --models`: a name or glob of listed models, or the id of another one."""
        text = "models: [a/1, a/2, b/1]\nprompt: '{{ input }}'\n"
        assert names(text, ["a/*", "c/1"]) == [
            "a/1: completed",
            "a/2: completed",
            "(b/1: completed)",
            "c/1: completed",
        ]

    def test_a_model_that_no_prompt_is_for_keeps_its_items(self) -> None:
        """They fail for want of answers; nothing goes silently."""
        text = "models: [m, {name: n, endpoint: completions}]\nprompt: '{{ input }}'\n" + RULES
        text += "    - {rule: at_most, metric: failure_rate, value: 0}\n"
        assert names(text) == ["m: at_most failure_rate 0", "n: at_most failure_rate 0"]

    @pytest.mark.parametrize(
        ("field", "message"),
        [("models: [mm]", 'no model "mm"'), ("prompts: [other]", 'no prompt "other"')],
    )
    def test_a_rule_about_nobody_is_refused_with_its_place(self, field: str, message: str) -> None:
        """It is found before anything is sent."""
        text = "models: [m]\nprompt: '{{ input }}'\n" + RULES
        with pytest.raises(SpecError, match=r"a.yaml:8:\d+: the spec has " + message):
            listed(text + f"    - {{rule: at_most, metric: failure_rate, value: 0, {field}}}\n")


@pytest.mark.parametrize(
    ("text", "folder", "named"),
    [
        ("name: a\ndataset: x.csv\nprompt: p\nscorers: [s]\n", True, True),
        ("name: a\ndatset: x.csv\nprompt: p\nscorers: [s]\n", True, True),
        ('"prompt": p\n"scorers": [s]\n', True, True),
        ("include: base.yaml\nname: a\n", True, True),
        ("include: ci.yml\nstages: [a]\n", False, True),
        ("scorers: [s]\n", False, True),
        ("name: ci\non: push\njobs: {}\n", False, False),
        ("dataset: x\nmodels: [a]\n", False, True),
        ("services:\n  dataset: x\n  scorers: y\n", False, False),
        ("defaults: {dataset: x}\n", False, False),
        ("", False, False),
        ("prompt: p\nscorers: [s]\n#" + " " * 1_000_000, False, False),
    ],
)
def test_specs_are_told_from_other_yaml_by_their_keys(
    tmp_path: Path, text: str, folder: bool, named: bool
) -> None:
    """A typo in one key hides no spec; a file that the user names needs one key only."""
    path = tmp_path / "a.yaml"
    path.write_text(text)
    assert looks_like_spec(path, named=False) == folder
    assert looks_like_spec(path, named=True) == named


def test_what_cannot_be_read_is_no_spec(tmp_path: Path) -> None:
    """Neither a missing file nor one that is no text."""
    path = tmp_path / "a.yaml"
    assert not looks_like_spec(path, named=True)
    path.write_bytes(b"prompt: \xff\nscorers: [s]\n")
    assert not looks_like_spec(path, named=True)
