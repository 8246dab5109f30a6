"""`regrade.compare`: two stored runs, or arms of one, to figures, flips and leads."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import regrade
from regrade.errors import UsageError

Suite = Callable[..., Path]
RIGHT = [str(2 * n + 1) for n in range(20)]


def recorded(name: str, texts: list[Any], **more: Any) -> dict[str, Any]:
    """Write answers to the suite's samples and return the model that gives them; None is a failure.

    A sample with a list of answers has a repeat for each.
    """
    lines = [
        {"id": f"s{n}", "text": text, **{key: value[n] for key, value in more.items()}}
        for n, answers in enumerate(texts)
        for text in (answers if isinstance(answers, list) else [answers])
    ]
    Path(f"{name}.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return {
        "name": name,
        "outputs": f"{name}.jsonl",
        "id": "id",
        "text": "text",
        **{key: key for key in more},
    }


def run(suite: Suite, *models: dict[str, Any], **changes: Any) -> regrade.Run:
    """Run the suite over recorded answers."""
    return regrade.run(suite(models=list(models), **changes))


def broken(*places: int) -> list[Any]:
    """Return right answers, wrong ones at some places."""
    return ["0" if n in places else text for n, text in enumerate(RIGHT)]


def test_the_functions_stay_functions(suite: Suite) -> None:
    """The rooms `compare` and `gate` do not take the place of what `import regrade` promises."""
    old, new = run(suite, recorded("m", RIGHT)), run(suite, recorded("m", broken(1)))
    for _ in range(2):
        assert regrade.compare(old.id, new.id).changes
        assert regrade.gate(new.id, baseline=old.id).verdicts


def test_flips_carry_prompt_target_and_both_answers(suite: Suite) -> None:
    """What broke and what was mended, each with all that a reader needs to judge it, worst first."""
    old, new = run(suite, recorded("m", broken(7))), run(suite, recorded("m", broken(2, 3)))
    found = regrade.compare(old.id, new.id)
    (flips,) = found.flips
    assert [one.sample for one in flips.broken] == ["s2", "s3"]
    assert [one.sample for one in flips.mended] == ["s7"]
    (mended,) = flips.mended
    assert (mended.text_a, mended.text_b, mended.target) == ("0", "15", "15")
    assert "7+8" in str(mended.messages)
    (view,) = found.document.flips
    assert view.gained[0].diff == (("out", "0 "), ("in", "15"))
    assert view.gained[0].prompt == "7+8"


def test_arms_of_models_with_commas_can_be_named(suite: Suite) -> None:
    """With a backslash before it a comma belongs to the name, in an arm as in a list of models."""
    models = [recorded("m", RIGHT) | {"name": name} for name in ("a,b", "c")]
    both = run(suite, *models)
    found = regrade.compare(rf"{both.id},model=a\,b", f"{both.id},model=c")
    assert {(one.model_a, one.model_b) for one in found.changes} == {("a,b", "c")}
    assert found.comparison.a == rf"{both.id},model=a\,b"
    with pytest.raises(UsageError, match='"b" selects nothing') as caught:
        regrade.compare(f"{both.id},model=a,b", both.id)
    assert "a comma of a name as \\," in str(caught.value)
    assert {one.model for one in regrade.run("sums.yaml", models=r"a\,b").summary_rows} == {"a,b"}


def test_what_was_set_up_otherwise_is_told(suite: Suite) -> None:
    """By name, of what both sides have; nothing where the same was run again."""
    old, again = run(suite, recorded("m", RIGHT)), run(suite, recorded("m", broken(1)))
    new = run(suite, recorded("m", RIGHT), prompt="Sum: {{ q }}", parameters={"temperature": 0.5})
    assert not any("from A to B" in note for note in regrade.compare(old.id, again.id).comparison.notes)
    (note,) = [one for one in regrade.compare(old.id, new.id).comparison.notes if "from A to B" in one]
    assert note == "sums, from A to B: model m temperature unset to 0.5; prompt default text changed."


def test_flaky_is_told_apart_from_regressed(suite: Suite) -> None:
    """Who fails now and then in both runs is flaky; who always passed and now fails is lost."""
    a: list[Any] = [[text] * 3 for text in RIGHT]
    b: list[Any] = [[text] * 3 for text in RIGHT]
    a[0], b[0] = ["1", "0", "1"], ["0", "1", "0"]
    a[1], b[1] = ["3", "0", "3"], ["3", "0", "3"]
    b[2] = ["0", "0", "0"]
    found = regrade.compare(
        run(suite, recorded("m", a), epochs=3).id, run(suite, recorded("m", b), epochs=3).id
    )
    (flips,) = found.flips
    assert (flips.flaky, [one.sample for one in flips.broken], flips.mended_count) == (2, ["s2"], 0)
    assert "flaky" in found.document.paragraph


def test_what_the_requests_tell_is_compared_too(suite: Suite) -> None:
    """Cost, latency, tokens and failures of the same samples, in their own units."""
    price = {"prompt": 1.0, "completion": 10.0}
    old = recorded("m", RIGHT, prompt_tokens=[10] * 20, completion_tokens=[5] * 20, latency_s=[1.0] * 20)
    old_run = run(suite, old | {"price": price})
    texts: list[Any] = [None, *RIGHT[1:]]
    new = recorded("m", texts, prompt_tokens=[10] * 20, completion_tokens=[8] * 20, latency_s=[1.5] * 20)
    found = {
        one.metric: one for one in regrade.compare(old_run.id, run(suite, new | {"price": price}).id).changes
    }
    assert found["completion_tokens_per_answer"].difference == pytest.approx(3)
    assert found["prompt_tokens_per_answer"].difference == 0
    assert found["latency_mean"].difference == pytest.approx(0.5)
    assert found["cost_per_answer"].difference == pytest.approx(30e-6)
    assert found["failure_rate"].difference == pytest.approx(1 / 20)
    assert (found["accuracy"].n, found["accuracy"].missing_b) == (19, 1)


def test_a_slice_that_stands_out_is_a_lead(suite: Suite) -> None:
    """Ten losses, all of odd rows: that slice is named, with q below one in ten; equal runs have no lead."""
    old, new = run(suite, recorded("m", RIGHT)), run(suite, recorded("m", broken(*range(1, 20, 2))))
    (lead, *others) = regrade.compare(old.id, new.id).leads
    assert (lead.change.slice, lead.change.losses, lead.change.n) == ("parity=1", 10, 10)
    assert lead.q <= 0.1
    assert not others
    assert regrade.compare(old.id, run(suite, recorded("m", RIGHT)).id).leads == ()


def test_arms_of_one_run(suite: Suite) -> None:
    """model=x against model=y, prompt=p against prompt=q."""
    matrix = {"tone": ["terse", "kind"], "tongue": ["en", "de"]}
    found = run(
        suite,
        recorded("x", RIGHT),
        recorded("y", broken(4)),
        prompt="{{ q }} {{ tone }} {{ tongue }}",
        matrix=matrix,
    )
    prompts = list(dict.fromkeys(row["prompt"] for row in found.samples.to_pylist()))
    assert len(prompts) == 4
    one, other = prompts[:2]
    row = regrade.compare(f"{found.id},model=x,prompt={one}", f"{found.id},prompt={one},model=y").changes[0]
    assert (row.model_a, row.model_b, row.prompt_b, row.losses) == ("x", "y", one, 1)
    rows = regrade.compare(f"{found.id},prompt={one}", f"{found.id},prompt={other}").changes
    assert {(row.prompt_a, row.prompt_b, row.model_b) for row in rows} == {
        (one, other, "x"),
        (one, other, "y"),
    }


@pytest.mark.parametrize(
    ("a", "b", "said"),
    [
        ("latest", "latest", "held against itself"),
        ("latest", "latest,model=x", "held against itself"),
        ("latest,model=xx", "latest", 'did you mean "x"'),
        ("latest,modle=x", "latest", 'did you mean "model"'),
        ("latest,model=", "latest", "selects nothing"),
        ("latest,model=x", "latest,model=x,model=y", "selects nothing"),
        ("nothing", "latest", 'no run or baseline "nothing"'),
        ("previous", "latest", "no"),
    ],
)
def test_what_cannot_be_compared_is_one_clear_error(suite: Suite, a: str, b: str, said: str) -> None:
    """Unknown runs, arms and selectors, and an arm against itself."""
    run(suite, recorded("x", RIGHT), recorded("y", RIGHT))
    with pytest.raises(UsageError) as caught:
        regrade.compare(a, b)
    assert said in f"{caught.value.message} {caught.value.hint}"


def test_runs_of_other_evals_have_nothing_in_common(suite: Suite) -> None:
    """The message says what either of them holds."""
    one = run(suite, recorded("m", RIGHT))
    other = regrade.run(suite("other", models=[recorded("m", RIGHT)]))
    with pytest.raises(UsageError, match="nothing in common") as caught:
        regrade.compare(one.id, other.id)
    assert "sums/m/default" in str(caught.value.hint)
    assert "other/m/default" in str(caught.value.hint)


def test_latest_and_previous_are_the_default_pair(suite: Suite) -> None:
    """`compare previous` measures the newest success against the one before it."""
    old, new = run(suite, recorded("m", RIGHT)), run(suite, recorded("m", broken(1)))
    found = regrade.compare("previous")
    assert (found.comparison.a, found.comparison.b) == (old.id, new.id)


def test_samples_that_changed_are_left_out_and_counted(suite: Suite) -> None:
    """Another target of the same id is another sample; a note says how many there are."""
    old = run(suite, recorded("m", RIGHT))
    spec = suite(models=[recorded("m", RIGHT)])
    rows = Path("sums.jsonl").read_text().replace('"a": "1"', '"a": "one"')
    Path("sums.jsonl").write_text(rows)
    found = regrade.compare(old.id, regrade.run(spec).id)
    assert found.changes[0].n == 19
    assert any("another input or target" in note for note in found.comparison.notes)


def test_scores_that_are_no_number_are_failures(suite: Suite) -> None:
    """NaN from a scorer is a failure of the scorer: left out, counted, and never a wrong answer."""
    Path("odd.py").write_text("def odd(answer, target):\n    return float('nan') if answer == '0' else 1.0\n")
    scorers = [{"python": {"function": "odd.py:odd", "low": 0, "high": 1}}]
    old = run(suite, recorded("m", RIGHT), scorers=scorers)
    new = run(suite, recorded("m", broken(1, 2)), scorers=scorers)
    row = regrade.compare(old.id, new.id).changes[0]
    assert (row.n, row.missing_b, row.value_b, row.difference) == (18, 2, 1.0, 0.0)


def test_the_table_is_arrow_and_json(suite: Suite) -> None:
    """One row a change, every field a column; the exact records serialise without NaN or infinity."""
    old, new = run(suite, recorded("m", RIGHT)), run(suite, recorded("m", broken(1)))
    found = regrade.compare(old.id, new.id)
    assert found.table.num_rows == len(found.changes)
    assert found.table["metric"].to_pylist() == [one.metric for one in found.changes]
    json.dumps(found.document.records, allow_nan=False)


def test_a_run_that_did_not_finish_is_named(suite: Suite) -> None:
    """Half a run is compared by what it holds, and the first note says so."""
    old = run(suite, recorded("m", RIGHT))
    half = regrade.run(suite(models=[recorded("m", RIGHT)]), max_requests=10)
    assert half.status == "partial"
    found = regrade.compare(old.id, half.id)
    assert "did not finish (partial)" in found.comparison.notes[0]
    assert any("10 are in A alone" in note for note in found.comparison.notes)


@pytest.mark.parametrize("level", [0.0, 1.0, -1.0, 1.5])
def test_a_level_outside_of_0_and_1_is_refused(suite: Suite, level: float) -> None:
    """No interval has such a level."""
    with pytest.raises(UsageError, match="between 0 and 1"):
        regrade.compare("a", "b", level=level)
