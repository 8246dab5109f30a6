"""Spec files: every problem at once, each at its place."""

from pathlib import Path

import pytest

from regrade.errors import SpecError
from regrade.spec import SpecFile, load_spec

KNOWN = {"loader": ["jsonl", "rows", "hf"]}
GOOD = """\
name: good
dataset: {rows: [{input: a, target: a}]}
models: [m]
prompt: "{{ input }}"
scorers: [exact_match]
"""


def load(folder: Path, text: str, name: str = "x.yaml") -> SpecFile:
    """Write and load a spec."""
    path = folder / name
    path.write_text(text)
    return load_spec(path, KNOWN, lambda *_: [])


def problems(folder: Path, text: str) -> str:
    """Return the problems of a spec as the user reads them."""
    with pytest.raises(SpecError) as caught:
        load(folder, text)
    return str(caught.value)


def test_all_problems_of_a_file_come_at_once_each_with_line_caret_and_hint(workdir: Path) -> None:
    """Every fault is listed in the order of the file, with the line as written and a caret under it."""
    text = (
        "name: x\ndatset: a.jsonl\ndataset: a.jsonl\nmodels: [{name: m, endpont: chat}]\n"
        'prompt: {user: hi, sytem: x}\nparameters: {temperature: 2.1}\nscorers: [exact_match]\nepochs: "3"\n'
    )
    assert problems(workdir, text) == (
        'x.yaml:2:1: unknown key "datset"\n    datset: a.jsonl\n    ^\n  did you mean "dataset"?\n'
        'x.yaml:4:20: unknown key "endpont"\n    models: [{name: m, endpont: chat}]\n'
        '                       ^\n  did you mean "endpoint"?\n'
        'x.yaml:5:20: unknown key "sytem"\n    prompt: {user: hi, sytem: x}\n'
        '                       ^\n  did you mean "system"?\n'
        "x.yaml:6:27: `temperature` must be at most 2, not 2.1\n    parameters: {temperature: 2.1}\n"
        "                              ^\n"
        'x.yaml:8:9: `epochs` must be a whole number, not "3"\n    epochs: "3"\n            ^'
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("prompt: {}", "needs exactly one of `user`, `messages` and `text`"),
        ("dataset: x.foo", "the suffix of x.foo names no format"),
        ("dataset: {id: x}", "needs one source of rows"),
        ("dataset: {path: a.jsonl, limit: 0}", "must be a count of at least 1"),
        ("models: [{name: m, api_key: sk-1}]", "a key never stands in a file"),
        ("models: [{name: m, outputs: x.jsonl}]", "needs `text` or `tool_calls`"),
        ("models: [{name: m, base_url: 'https://u:p@host/v1'}]", "keys go into"),
        ("scorers: []", "must not be empty"),
        ("scorers: [{a: 1, b: 2}]", "must be a name, or one name with its arguments"),
        ("scorers: [exact_match, exact_match]", 'two scorers are called "exact_match"'),
        ("parameters: {top_k: 1}", "other fields of the API go under `extra_body`"),
        ("name: 'a b'", "letters, digits"),
        ("gate: {rules: []}", "must not be empty"),
        ("gate: {alpha: 0.6, rules: [{rule: no_regression, metric: m}]}", "`alpha` must be less than 0.5"),
        ("gate: {rules: [{rule: no_regresion, metric: m}]}", "must be 'no_regression'"),
        ("gate: {rules: [{rule: non_inferior, metric: m}]}", "needs `margin`"),
        ("gate: {rules: [{rule: non_inferior, metric: m, margin: 0}]}", "`margin` must be more than 0"),
        ("gate: {rules: [{rule: at_least, metric: m}]}", "needs `value`"),
        ("gate: {rules: [{rule: at_most, metric: m, value: 1, against: x}]}", "`against` goes with"),
        ("gate: {rules: [{rule: no_regression, metric: m, models: [strange]}]}", 'no model "strange"'),
        ("gate: {rules: [{rule: no_regression, metric: m, prompts: [strange]}]}", 'no prompt "strange"'),
    ],
)
def test_each_fault_has_its_own_message(workdir: Path, change: str, message: str) -> None:
    """What does not fit is told in the words of the spec."""
    key = change.partition(":")[0]
    lines = [line for line in GOOD.splitlines() if not line.startswith(key)]
    assert message in problems(workdir, "\n".join([*lines, change]) + "\n")


def test_a_missing_key_is_named(workdir: Path) -> None:
    """A spec without a dataset says so."""
    assert 'the key "dataset" is missing' in problems(workdir, "name: x\nprompt: a\nscorers: [a]\n")
    assert 'the key "prompt" is missing' in problems(workdir, "name: x\ndataset: a.jsonl\nscorers: [a]\n")


def test_broken_yaml_points_to_the_place(workdir: Path) -> None:
    """YAML that cannot be read is one message with line and column."""
    assert problems(workdir, "name: x\nprompt: a: b\n").startswith("x.yaml:2:10: not valid YAML")
    assert "stands twice" in problems(workdir, "name: x\nname: y\n")
    assert "the file is empty" in problems(workdir, "")


def test_short_forms_mean_the_same_as_long_ones(workdir: Path) -> None:
    """A bare string, a mapping and a list of uses are one thing."""
    spec = load(workdir, GOOD).spec
    assert spec.prompts["default"].user == "{{ input }}"
    assert [use.title for use in spec.scorers] == ["exact_match"]
    text = GOOD.replace(
        "[exact_match]", "{regex: 'a', includes: {name: has, metrics: mean, extract: last_line}}"
    )
    regex, includes = load(workdir, text).spec.scorers
    assert (regex.title, regex.arguments) == ("regex", "a")
    assert (includes.title, includes.name, includes.extract) == ("has", "includes", "last_line")
    assert [use.name for use in includes.metrics or ()] == ["mean"]


def test_includes_lie_under_the_spec(workdir: Path) -> None:
    """Defaults of an included file hold where the spec says nothing; parameters merge key by key."""
    (workdir / "shared.yaml").write_text(
        "defaults:\n  models: [shared]\n  parameters: {temperature: 1, max_tokens: 5}\n  epochs: 2\n"
    )
    text = GOOD.replace("models: [m]\n", "") + "include: shared.yaml\nparameters: {temperature: 0}\n"
    spec = load(workdir, text).spec
    assert [model.name for model in spec.models] == ["shared"]
    assert (spec.parameters.temperature, spec.parameters.max_tokens, spec.epochs) == (0, 5, 2)


def test_a_fault_in_an_included_file_points_there(workdir: Path) -> None:
    """The place of a problem is the file that it was written in."""
    (workdir / "shared.yaml").write_text("defaults:\n  parameters: {temperature: 9}\n")
    assert problems(workdir, GOOD + "include: shared.yaml\n").startswith("shared.yaml:2:29: `temperature`")
    (workdir / "shared.yaml").write_text("defaults: {}\nmodels: [a]\n")
    assert "holds `defaults` and nothing else" in problems(workdir, GOOD + "include: shared.yaml\n")
    assert "no such file" in problems(workdir, GOOD + "include: nowhere.yaml\n")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name: a\n\tdataset: x\n", "indent with spaces, not with tabs"),
        ("name: a\n---\nname: b\n", "a spec is one YAML document; here begins another"),
        ("", "the file is empty"),
        ("- a\n", "must be a mapping"),
        ("name: a\nname: b\n", "this key stands twice"),
    ],
)
def test_what_is_no_spec_at_all_is_said(text: str, said: str, tmp_path: Path) -> None:
    """YAML that cannot be read is one problem with its place and what to do."""
    path = tmp_path / "a.yaml"
    path.write_text(text)
    with pytest.raises(SpecError, match=r"a\.yaml") as error:
        load_spec(path, {}, lambda *_: [])
    assert said in str(error.value)
