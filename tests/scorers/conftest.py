"""What scorers are given."""

from collections.abc import Callable
from typing import Any

import pytest

from regrade.types import Completion, Json, Sample, ScoreContext


@pytest.fixture(scope="session")
def context() -> Callable[..., ScoreContext]:
    """Return a maker of contexts from an answer, a target and the sample's other values."""

    def make(answer: str, target: Json = None, **sample: Any) -> ScoreContext:
        values = {"input": "What?", "metadata": {}, **sample}
        return ScoreContext(
            answer=answer,
            target=target,
            sample=Sample(id="s1", target=target, fingerprint="f", **values),
            completion=Completion(answer),
        )

    return make
