import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn import metrics

from regrade.stats import LABEL_STATISTICS, confusion, label_codes, label_units

NAMES = ["billing", "sales", "tech"]


def _objects(values: list[str | None]) -> NDArray[np.object_]:
    return np.array(values, dtype=np.object_)


def test_confusion_counts_answers_without_a_label_apart() -> None:
    """Rows are expected labels, columns found ones, the last one for answers without any."""
    expected = _objects(["b", "a", "a", "a", None])
    found = _objects(["b", "b", "a", None, "a"])
    names, counts = confusion(expected, found)
    assert names == ("a", "b")
    assert counts.tolist() == [[1, 1, 1], [0, 1, 0]]


LABELS = st.lists(
    st.tuples(st.sampled_from(NAMES), st.sampled_from([*NAMES, "spam", None])), min_size=2, max_size=60
)


@settings(max_examples=40)
@given(LABELS)
def test_statistics_equal_scikit_learn(pairs: list[tuple[str, str | None]]) -> None:
    """What the bootstrap computes from sums is what scikit-learn computes from labels."""
    expected = [right for right, _ in pairs]
    found = [label or "" for _, label in pairs]
    occurring = sorted({*expected, *found} - {""})
    codes = label_codes(
        _objects(list(expected)),
        _objects([label for _, label in pairs])[:, None],
        np.ones((len(pairs), 1), bool),
    )
    units, weights = label_units(codes, None)
    sums = (weights @ units)[None, :]
    options = {"labels": occurring, "zero_division": 0}
    assert LABEL_STATISTICS["macro_f1"](sums)[0] == pytest.approx(
        metrics.f1_score(expected, found, average="macro", **options)
    )
    assert LABEL_STATISTICS["micro_f1"](sums)[0] == pytest.approx(
        metrics.f1_score(expected, found, average="micro", **options)
    )
    recall = metrics.recall_score(
        expected, found, labels=sorted({*expected}), average="macro", zero_division=0
    )
    assert LABEL_STATISTICS["balanced_accuracy"](sums)[0] == pytest.approx(recall)
    correlation = LABEL_STATISTICS["mcc"](sums)[0]
    if len({*expected}) > 1 and len({*found}) > 1:
        assert correlation == pytest.approx(metrics.matthews_corrcoef(expected, found))
    else:
        assert np.isnan(correlation)


@given(LABELS, st.integers(1, 3))
def test_units_add_up_however_they_are_formed(pairs: list[tuple[str, str | None]], epochs: int) -> None:
    """Samples, equal samples and clusters are different units of the same sums."""
    expected = _objects([right for right, _ in pairs])
    found = np.repeat(_objects([label for _, label in pairs])[:, None], epochs, axis=1)
    codes = label_codes(expected, found, np.ones(found.shape, bool))
    merged, weights = label_units(codes, None)
    clustered, ones = label_units(codes, np.arange(len(pairs)) // 3)
    assert weights.sum() == len(pairs)
    assert len(ones) == -(-len(pairs) // 3)
    assert (weights @ merged).tolist() == clustered.sum(axis=0).tolist()
    assert clustered[:, -1].sum() == len(pairs) * epochs


def test_repeats_without_an_answer_add_nothing() -> None:
    """A failed request is neither a miss nor a find."""
    answered = np.array([[True, False], [True, True], [False, False]])
    labels = _objects(["a", None, "b", None, None, None]).reshape(3, 2)
    codes = label_codes(_objects(["a", "a", "b"]), labels, answered)
    assert codes.kept.tolist() == [True, True, False]
    expected, found = codes.pairs()
    assert expected.tolist() == [0, 0, 0]
    assert found.tolist() == [0, 1, -1]
