"""How long a run that goes on will take."""

import pytest

from regrade.report.pace import time_left


@pytest.mark.parametrize(
    ("models", "expected"),
    [
        ([(30, 1.0), (30, 1.0)], 30.0),
        ([(270, 6.0), (10, 22.0)], 45.0),  # failures that come at once make nobody else faster
        ([(270, 6.0), (0, 22.0)], 45.0),
        ([(270, 6.0), (330, 0.0)], 100.0),  # one that ended nothing yet
        ([(5, 0.0)], None),
        ([(0, 3.0)], None),
        ([], None),
    ],
)
def test_the_slowest_model_tells_when_a_run_ends(
    models: list[tuple[int, float]], expected: float | None
) -> None:
    """Not the sum of all: where nothing ends, or nothing is left, nobody can say."""
    assert time_left(models) == expected
