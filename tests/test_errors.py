"""The error tree speaks to people."""

import pytest

from regrade.errors import Location, Problem, ProviderError, RegradeError, SpecError, UsageError


def test_a_problem_shows_place_line_caret_and_hint() -> None:
    """A problem prints file:line:column, the offending line, a caret under the column, and the hint."""
    problem = Problem(
        'unknown key "epoch"',
        Location("a.yaml", 3, 5),
        source="    epoch: 2\n",
        hint='did you mean "epochs"?',
    )
    assert str(problem).splitlines() == [
        'a.yaml:3:5: unknown key "epoch"',
        "        epoch: 2",
        "        ^",
        '  did you mean "epochs"?',
    ]


@pytest.mark.parametrize("place", [0, 40, 50_000, 99_990])
def test_a_line_of_a_megabyte_is_cut_around_its_column(place: int) -> None:
    """What is shown fits a terminal, and the caret still stands under the fault."""
    line = "x" * place + "FAULT" + "x" * (100_000 - place - 5)
    _, shown, caret = str(Problem("wrong", Location("a.json", 1, place + 1), source=line)).splitlines()
    assert len(shown) < 115
    assert shown[caret.index("^") :].startswith("FAULT")


def test_a_spec_error_lists_every_problem() -> None:
    """All problems of a file come in one error, in their order."""
    error = SpecError([Problem("first"), Problem("second")])
    assert str(error) == "first\nsecond"
    assert error.exit_code == 2


def test_exit_codes_follow_the_kind_of_error() -> None:
    """What the user got wrong exits with 2, what the world got wrong with 1."""
    assert UsageError("x").exit_code == 2
    assert ProviderError("x", kind="timeout").exit_code == RegradeError("x").exit_code == 1
