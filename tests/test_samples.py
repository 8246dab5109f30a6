"""From rows to samples."""

import itertools
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

import pytest

import regrade.samples as samples_module
from regrade.errors import DatasetError
from regrade.samples import SampleFields, SampleReader, draw
from regrade.types import Row


class Rows:
    """A loader over a list, with line numbers from 1."""

    def __init__(self, rows: Iterable[dict[str, Any]]) -> None:
        self.rows = list(rows)

    def load(self) -> Iterator[Row]:
        """Yield the rows."""
        return (Row(dict(row), line) for line, row in enumerate(self.rows, start=1))


class SkippingRows(Rows):
    """The same, with the power to skip."""

    def load_after(self, rows: int) -> Iterator[Row]:
        """Yield the rest."""
        return itertools.islice(self.load(), rows, None)


def read(rows: Iterable[dict[str, Any]], **fields: Any) -> SampleReader:
    """Return a reader over rows."""
    return SampleReader(Rows(rows), SampleFields(**fields), "data.jsonl")


TEN = [
    {"id": f"r{n}", "input": f"q{n}", "target": n, "kind": "even" if n % 2 == 0 else "odd"} for n in range(10)
]


def test_default_columns_need_no_mapping() -> None:
    """Columns called id, input, target and metadata are taken as such."""
    (sample,) = read([{"id": 7, "input": "q", "target": "a", "metadata": {"x": 1}, "other": 2}])
    assert (sample.id, sample.input, sample.target, sample.metadata) == ("7", "q", "a", {"x": 1})
    assert sample.row["other"] == 2


def test_without_an_id_the_content_names_the_sample() -> None:
    """The id of a row without one stays the same when rows around it change."""
    alone = [sample.id for sample in read([{"input": "b", "target": "y"}])]
    among = [sample.id for sample in read([{"input": "a", "target": "x"}, {"input": "b", "target": "y"}])]
    assert alone[0] == among[1]


def test_the_fingerprint_rests_on_input_and_target_alone() -> None:
    """Metadata and id change nothing about what was asked."""
    (one,) = read([{"id": 1, "input": "q", "target": "a", "kind": "x"}], metadata=["kind"])
    (two,) = read([{"id": 2, "input": "q", "target": "a", "kind": "y"}], metadata=["kind"])
    (other,) = read([{"id": 1, "input": "q", "target": "b"}])
    assert one.fingerprint == two.fingerprint != other.fingerprint


def test_duplicate_ids_are_refused_with_both_lines() -> None:
    """Two rows with one id are an error that says where both stand and what helps."""
    with pytest.raises(DatasetError) as caught:
        list(read([{"id": "a", "input": 1}, {"id": "b", "input": 2}, {"id": "a", "input": 3}]))
    assert str(caught.value).startswith('data.jsonl:3: the id "a" stands in lines 1 and 3')
    assert "id: row" in str(caught.value)


def test_duplicate_content_is_refused_unless_rows_are_numbered() -> None:
    """The same text twice needs `id: row`."""
    rows = [{"input": "same"}, {"input": "same"}]
    with pytest.raises(DatasetError, match="the same content stands in lines 1 and 2"):
        list(read(rows))
    assert [sample.id for sample in read(rows, id="row")] == ["1", "2"]


def test_a_missing_column_names_the_line() -> None:
    """A row without the mapped column is an error at its line."""
    with pytest.raises(DatasetError) as caught:
        list(read([{"text": "x"}, {"txt": "y"}], input="text"))
    assert str(caught.value) == 'data.jsonl:2: no column "text"\n  did you mean "txt"?'


def test_where_filters_and_an_empty_rest_is_an_error() -> None:
    """`where` keeps the rows for which it is true; none left is never a silent success."""
    assert [sample.id for sample in read(TEN, where="kind == 'odd'")] == ["r1", "r3", "r5", "r7", "r9"]
    with pytest.raises(DatasetError, match="`where` is false for all 10 rows"):
        list(read(TEN, where="target > 99"))
    with pytest.raises(DatasetError, match="no rows"):
        list(read([]))


@pytest.mark.parametrize("fields", [{}, {"shuffle": 7}, {"where": "n != 4", "limit": 8}, {"id": "row"}])
def test_missing_samples_have_the_places_of_a_whole_pass(fields: dict[str, Any]) -> None:
    """What is not known yet comes as in a whole pass, filters, limits and shuffles included."""
    reader = read([{"input": f"q{n}", "n": n} for n in range(12)], **fields)
    samples = list(reader)
    known = {sample.id for sample in samples[::2]}
    assert list(reader.missing(known.__contains__)) == list(enumerate(samples))[1::2]


@pytest.mark.parametrize("fields", [{}, {"limit": 8}, {"limit": 0.7}, {"where": "n != 4"}, {"id": "row"}])
@pytest.mark.parametrize("skips", [True, False])
@pytest.mark.parametrize("begin", [0, 3, 8, 99])
def test_missing_samples_may_begin_at_any_place(fields: dict[str, Any], skips: bool, begin: int) -> None:
    """What lies before the place comes last; nothing is lost, whether the loader can skip rows or not."""
    rows = [{"input": f"q{n}", "n": n} for n in range(12)]
    reader = SampleReader((SkippingRows if skips else Rows)(rows), SampleFields(**fields), "data.jsonl")
    samples = list(enumerate(reader))
    known = {sample.id for _, sample in samples[::2]}
    found = list(reader.missing(known.__contains__, begin))
    assert found == [one for one in samples[begin:] + samples[:begin] if one[1].id not in known]


@pytest.mark.parametrize("fields", [{}, {"shuffle": 7}])
def test_the_search_for_missing_samples_pauses(monkeypatch: pytest.MonkeyPatch, fields: Any) -> None:
    """Where all is known a None comes now and then, for others to have their turn."""
    monkeypatch.setattr(samples_module, "_PASSED_AT_ONCE", 4)
    assert list(read(TEN, **fields).missing(lambda _: True)) == [(3, None), (7, None)]


@pytest.mark.parametrize(("limit", "count"), [(3, 3), (0.25, 3), (0.5, 5), (99, 10), (None, 10)])
def test_limit_is_a_count_or_a_fraction(limit: float | None, count: int) -> None:
    """A fraction is of the rows that `where` leaves, rounded half up."""
    assert len(list(read(TEN, limit=limit))) == count


def test_a_shuffle_is_the_same_for_the_same_seed_and_loses_nothing() -> None:
    """Order depends on the seed alone; every sample comes once, unchanged."""
    first, again = list(read(TEN, shuffle=7)), list(read(TEN, shuffle=7))
    other = list(read(TEN, shuffle=8))
    assert first == again != other
    assert sorted(first, key=lambda sample: sample.id) == list(read(TEN))


def test_limit_after_shuffle_is_a_random_sample() -> None:
    """The limit takes from the shuffled rows, not from the first rows of the file."""
    taken = {sample.id for seed in range(20) for sample in read(TEN, shuffle=seed, limit=1)}
    assert len(taken) > 3


def test_metadata_star_takes_what_has_no_other_use() -> None:
    """`*` keeps every column that is not id, input or target."""
    (sample,) = read(
        [{"key": 1, "q": "x", "a": "y", "kind": "k"}], id="key", input="q", target="a", metadata="*"
    )
    assert sample.metadata == {"kind": "k"}


def test_clusters_come_from_metadata_columns_or_templates() -> None:
    """The cluster of a sample may be named in each of three ways."""
    row = {"input": 1, "doc": "d1", "page": 3}
    assert [sample.cluster for sample in read([row], cluster="doc")] == ["d1"]
    assert [sample.cluster for sample in read([row], cluster="d", metadata={"d": "{{ page }}"})] == ["3"]
    assert [sample.cluster for sample in read([row], cluster="{{ doc }}/{{ page }}")] == ["d1/3"]


def test_draws_are_seeded_and_fair() -> None:
    """Worked examples are the same for a seed, and every row has the same chance."""
    assert draw(read(TEN), 3, 1) == draw(read(TEN), 3, 1)
    seen = Counter(sample.id for seed in range(2000) for sample in draw(read(TEN), 1, seed))
    assert set(seen) == {row["id"] for row in TEN}
    assert min(seen.values()) > 300
    assert max(seen.values()) < 500
