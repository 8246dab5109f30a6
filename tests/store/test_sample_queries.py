"""The samples of a run, filtered, sorted and paged: the numbers of `regrade show`, any texts."""

import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import regrade
from regrade.aggregate.slices import values_of
from regrade.api import SampleFilter, sample_records
from regrade.errors import QueryStoppedError, StoreError, UsageError
from regrade.jsonio import dumps
from regrade.store import RunFolder
from regrade.store.parquet_base import Cancellation, ParquetBase
from regrade.store.sample_filters import LabelCell, SampleQuery, ScoreRange
from regrade.store.sample_pages import PageRequest
from regrade.store.sample_queries import SampleQueries
from regrade.store.sample_search import TextSearch

Make = Callable[..., SampleQueries]
COUNT = 13
"""Rows to page through: each column has ties and missing values among them, in full and half pages."""


def ids(queries: SampleQueries, query: SampleQuery | None = None, **request: Any) -> list[str]:
    """Return the ids on a page."""
    return [row.sample_id for row in queries.page(query or SampleQuery(), PageRequest(**request)).rows]


def test_numbers_are_those_of_show(sorted_run: regrade.Run) -> None:
    """Wrong and failed are what `regrade show --wrong` and `--failed` list, for each model and in all."""
    queries = SampleQueries(sorted_run.folder)
    for models in ((), ("good",), ("bad",), ("absent",)):
        for outcome in ("wrong", "failure"):
            chosen = SampleFilter(models=models, wrong=outcome == "wrong", failed=outcome == "failure")
            shown, total = sample_records(sorted_run, chosen, 1000)
            query = SampleQuery(models=models, outcomes=(outcome,))
            page = queries.page(query, PageRequest(size=1000))
            assert [(one.model, one.prompt, one.sample_id) for one in page.rows] == [
                (one["model"], one["prompt"], one["sample_id"]) for one in shown
            ]
            assert getattr(queries.counts(query), outcome) == total == len(page.rows)
    queries.close()


def test_numbers_are_those_of_the_summary(sorted_run: regrade.Run) -> None:
    """Right by a scorer over all that it scored is the accuracy; failures are the failure rate."""
    queries = SampleQueries(sorted_run.folder)
    for row in sorted_run.summary_rows:
        name, _, value = row.slice.partition("=")
        part = ((name, value),) if name else ()
        query = SampleQuery((row.eval,), (row.prompt,), (row.model,), metadata=part, by=row.scorer)
        counts = queries.counts(query)
        if row.metric == "accuracy":
            assert (row.n, row.n_failed) == (counts.right + counts.wrong, counts.failure)
            assert row.value == (pytest.approx(counts.right / row.n) if row.n else None)
        elif row.metric == "failure_rate":
            assert row.value == pytest.approx(counts.failure / counts.total)
        elif row.metric == "parsed_rate" and row.scorer == "classification" and row.n:
            assert row.value == pytest.approx(1 - counts.unparsed / row.n)
    queries.close()


@pytest.mark.parametrize("sort", ["place", "latency", "tokens", "score.exact", "id", "cost"])
@pytest.mark.parametrize("direction", ["", "-"])
@pytest.mark.parametrize("size", [1, 4, 100])
def test_pages_hold_every_row_once_both_ways(table: Make, sort: str, direction: str, size: int) -> None:
    """Forwards and backwards, with ties and missing values, which come last in both directions."""
    rows = [
        {
            "latency_s": None if n % 5 == 0 else (n * 7 % 4) / 10,
            "prompt_tokens": None if n % 3 == 0 else n % 4,
            "score.exact": None if n % 4 == 0 else n % 2,
            "sample_id": f"s{n % 6}",
        }
        for n in range(COUNT)
    ]
    queries = table(rows, scorers=["exact"])
    whole = queries.page(SampleQuery(), PageRequest(direction + sort, size=100))
    places = [row.row for row in whole.rows]
    assert sorted(places) == list(range(COUNT))
    column = {"latency": "latency_s", "tokens": "prompt_tokens", "score.exact": "score.exact"}.get(sort)
    if column:
        values = [rows[place][column] for place in places]
        known = [value for value in values if value is not None]
        assert values == sorted(known, reverse=bool(direction)) + [None] * (COUNT - len(known))
    seen: list[int] = []
    pages = []
    page = queries.page(SampleQuery(), PageRequest(direction + sort, size=size))
    while True:
        pages.append([row.row for row in page.rows])
        seen += pages[-1]
        if not page.next:
            break
        page = queries.page(SampleQuery(), PageRequest(direction + sort, size=size, after=page.next))
    assert seen == places
    while page.previous:
        assert [row.row for row in page.rows] == pages.pop()
        page = queries.page(SampleQuery(), PageRequest(direction + sort, size=size, before=page.previous))
    assert len(pages) == 1


def test_every_filter_narrows(table: Make) -> None:
    """Each by itself and all together; what fits nothing gives an empty page."""
    rows = [
        {"metadata": f'{{"channel":"c{n % 2}","n":{n},"flag":{"true" if n else "false"}}}', "score.a": n / 4}
        | {"model": "x" if n < 3 else "y", "prompt": "p", "failure_kind": "timeout" if n == 4 else None}
        | {"ok": n != 4}
        for n in range(5)
    ]
    scores = [
        {"model": "x", "sample_id": "s1", "scorer": "b", "metric": "b", "failure_kind": "scorer"},
        {"model": "x", "sample_id": "s2", "scorer": "a", "metric": "a", "label": "L", "expected": "R"},
        {"model": "y", "sample_id": "s3", "scorer": "a", "metric": "a", "label": None, "expected": "R"},
    ]
    queries = table(rows, scores, scorers=["a"])
    for query, expected in (
        (SampleQuery(models=("y",)), "34"),
        (SampleQuery(evals=("e",), prompts=("p", "q")), "01234"),
        (SampleQuery(samples=("s2", "s4")), "24"),
        (SampleQuery(metadata=(("channel", "c1"),)), "13"),
        (SampleQuery(metadata=(("n", "2"), ("flag", "true"))), "2"),
        (SampleQuery(metadata=(("none", None),)), "01234"),
        (SampleQuery(scores=(ScoreRange("a", 0.25, 0.5),)), "12"),
        (SampleQuery(scores=(ScoreRange("a", low=0.75),)), "34"),
        (SampleQuery(failure_kinds=("scorer",)), "1"),
        (SampleQuery(failure_kinds=("timeout", "scorer")), "14"),
        (SampleQuery(outcomes=("failure",)), "14"),
        (SampleQuery(outcomes=("wrong", "failure")), "01234"),
        (SampleQuery(labels=LabelCell("a", "R", "L")), "2"),
        (SampleQuery(labels=LabelCell("a", "R", None)), "3"),
        (SampleQuery(models=("x",), outcomes=("wrong",), scores=(ScoreRange("a", 0.1),)), "12"),
        (SampleQuery(models=("z",)), ""),
    ):
        assert "".join(one.removeprefix("s") for one in ids(queries, query)) == expected, query
    assert queries.names("model") == [("x", 3), ("y", 2)]
    assert queries.metadata_fields() == ["channel", "flag", "n"]
    assert queries.metadata_values("channel") == [("c0", 3), ("c1", 2)]


HOSTILE = (
    "100%",
    "a_b",
    "a\\b",
    'it\'s "q"',
    "nul\0nul",
    "\\ud83d",
    "a.b*c[d]",
    "<script>",
    "Ünïcode ẞ",
    "(?i)",
)


@pytest.mark.parametrize("needle", HOSTILE)
def test_text_is_found_as_it_is(table: Make, needle: str) -> None:
    """Every character stands for itself: no wildcard, no expression, no SQL."""
    rows = [{"text": f"before {one} after"} for one in HOSTILE]
    queries = table([*rows, {"text": None}, {"text": "axb 100 aXb"}])
    assert ids(queries, SampleQuery(text=needle)) == [f"s{HOSTILE.index(needle)}"]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(needle=st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=6))
def test_any_text_finds_itself(needle: str, searched: SampleQueries) -> None:
    """Whatever is searched for, it is found where it stands and nothing is raised."""
    found = searched.base.rows("select regexp_matches(?, ?, 'i')", [f"x{needle}y", _pattern(needle)])
    assert found == [(True,)]


def _pattern(text: str) -> str:
    from regrade.store.sample_filters import text_pattern

    return text_pattern(text)


@pytest.fixture
def searched(table: Make) -> SampleQueries:
    """Return queries over one row."""
    return table([{}])


def test_text_is_found_wherever_it_stands_in_any_case(table: Make) -> None:
    """Input, answer, reasoning, id and the reasons of scores; not in prompts, targets or judges' requests."""
    rows: list[dict[str, Any]] = [
        {"input": "some NEEDLE"},
        {"text": "Needle"},
        {"reasoning": "hidden needle here"},
        {"sample_id": "the-needle"},
        {"sample_id": "by-reason"},
        {"messages": '"needle"', "target": "needle"},
        {"text": "needle", "role": "judge/ask"},
    ]
    scores = [{"sample_id": "by-reason", "scorer": "a", "metric": "other", "reason": "no NeedlE"}]
    queries = table(rows, scores)
    query = SampleQuery(text="nEEdle")
    assert [row.row for row in queries.page(query).rows] == [0, 1, 2, 3, 4]
    assert queries.counts(query).total == 5
    assert [row.row for row in queries.page(query, PageRequest("-id", size=2)).rows] == [3, 2]


def test_a_search_gives_what_it_found_in_time_and_goes_on(
    table: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page is not held up by the rest of the run; the next call goes on, in the end all is counted."""
    monkeypatch.setattr("regrade.store.sample_search._STRETCH", 8)
    monkeypatch.setattr("regrade.store.sample_search._LONGEST_STRETCH", 8)
    queries = table([{"text": "needle" if n % 10 == 5 else "hay"} for n in range(40)])
    query = SampleQuery(text="needle")
    page = queries.page(query, PageRequest(size=1))
    assert [row.row for row in page.rows] == [5]
    assert not page.complete
    assert 0 < page.searched < 1
    assert page.next
    page = queries.page(query, PageRequest(size=1, after=page.next))
    assert [row.row for row in page.rows] == [15]
    early = queries.page(query, limit_s=0)
    assert not early.complete
    assert not queries.counts(query, limit_s=0).complete
    counts = queries.counts(query)
    assert (counts.total, counts.complete) == (4, True)
    last = queries.page(query)
    assert [row.row for row in last.rows] == [5, 15, 25, 35]
    assert (last.complete, last.searched, last.next) == (True, 1.0, "")


def test_a_search_that_goes_on_holds_nobody_up(table: Make) -> None:
    """A reader with little time gets what another, who searches for the same, has found by then."""
    base = table([{"text": "needle"}] * 3).base
    search = TextSearch(base, SampleQuery(text="needle"), "found")
    looked, left = threading.Event(), threading.Event()

    def look() -> bool:
        looked.set()
        return left.wait(30)

    slow = threading.Thread(target=search.go_on, kwargs={"until": look})
    slow.start()
    try:
        assert looked.wait(30)
        search.go_on(limit_s=0.001)
        assert not search.complete
    finally:
        left.set()
        slow.join(30)
    search.go_on()
    assert search.found == 3


def test_queries_can_be_cancelled(table: Make) -> None:
    """A query that is cancelled stops; so does one that would begin afterwards."""
    queries = table([{"text": "needle"}])
    cancel = Cancellation()
    slow = "select count(*) from range(100000000000) as a(n) where hash(n) = 7"
    ended = threading.Event()

    def work() -> None:
        with pytest.raises(QueryStoppedError):
            queries.base.rows(slow, (), cancel)
        ended.set()

    thread = threading.Thread(target=work)
    thread.start()
    while not ended.wait(0.01):
        cancel.cancel()
    thread.join(10)
    with pytest.raises(QueryStoppedError):
        queries.page(SampleQuery(text="needle"), cancel=cancel)
    assert len(queries.page(SampleQuery(text="needle")).rows) == 1


def test_names_with_dots_quotes_and_cases_are_kept_apart(table: Make) -> None:
    """Scorers and metadata fields may be called anything."""
    scorers = ['a.b "quoted"', "Judge", "judge", "it's", "row"]
    metadata = '{"a.b":"dotted","a":{"b":"nested","c":1.5},"it\'s \\"k\\"":"q","sl/a~sh":null}'
    row = {f"score.{name}": place / 8 for place, name in enumerate(scorers)} | {"metadata": metadata}
    queries = table([row, {"metadata": None}], scorers=scorers)
    assert queries.scorers == tuple(scorers)
    columns = (
        "meta.a.b",
        "meta.a.c",
        'meta.it\'s "k"',
        "meta.sl/a~sh",
        "score.Judge",
        "score.judge",
        "score.it's",
    )
    first, second = queries.page(SampleQuery(), PageRequest(columns=columns)).rows
    assert first.scores == {name: place / 8 for place, name in enumerate(scorers)}
    assert list(first.cells.values()) == ["dotted", "1.5", "q", None, 0.125, 0.25, 0.375]
    assert set(second.cells.values()) == {None}
    assert ids(queries, SampleQuery(metadata=(('it\'s "k"', "q"),))) == ["s0"]
    assert ids(queries, SampleQuery(scores=(ScoreRange("judge", 0.25, 0.25),)), sort="-score.it's") == ["s0"]


@pytest.mark.parametrize(
    "value", ['it\'s "q" \\ %_', "Ünï\n\t", "\ud83d", "", "2.5", 1.5, True, 10**20, ["a", {"b": 1}]]
)
def test_values_of_metadata_are_found_as_they_are_shown(table: Make, value: Any) -> None:
    """What the list of values shows is what a filter takes, and what slices are called."""
    queries = table([{"metadata": dumps({"k": value})}, {"metadata": dumps({"k": "other"})}, {}])
    shown = {name for name, _ in queries.metadata_values("k")} - {"other"}
    assert len(shown) == 1
    assert shown == set(values_of([dumps({"k": value})], ["k"])["k"])
    assert ids(queries, SampleQuery(metadata=(("k", shown.pop()),))) == ["s0"]


def test_long_texts_are_cut_in_lists_and_nowhere_else(table: Make) -> None:
    """200 characters, not bytes, and the row says which column was cut."""
    queries = table([{"text": "ä" * 201, "input": "ä" * 200, "target": None}])
    (row,) = queries.page(SampleQuery(), PageRequest(columns=("text", "input", "target"))).rows
    assert (row.cells["text"], row.cells["input"], row.cells["target"]) == ("ä" * 200, "ä" * 200, None)
    assert row.cut == {"text"}
    assert queries.batches(SampleQuery(), ["text"]).read_all()["text"].to_pylist() == ["ä" * 201]


def test_an_export_holds_every_row_that_fits(sorted_run: regrade.Run) -> None:
    """All columns as they are in the run's own table, judges' requests and what does not fit left out."""
    queries = SampleQueries(sorted_run.folder)
    whole = queries.batches(SampleQuery())
    assert whole.schema.names == sorted_run.samples.schema.names
    assert whole.read_all().to_pylist() == sorted_run.samples.to_pylist()
    some = queries.batches(
        SampleQuery(models=("bad",), text="no idea"), ("sample_id", "meta.channel")
    ).read_all()
    expected = [
        one
        for one in sorted_run.samples.to_pylist()
        if one["model"] == "bad" and one["text"] == "no idea at all"
    ]
    assert [one["sample_id"] for one in some.to_pylist()] == [one["sample_id"] for one in expected]
    assert set(some["meta.channel"].to_pylist()) == {"chat", "mail"}
    assert queries.batches(SampleQuery(models=("none",)), ("text",)).read_all().num_rows == 0
    queries.close()


def test_flaky_samples_are_right_in_some_epochs_only(table: Make) -> None:
    """By one scorer; always wrong, always right and a single epoch are not flaky."""
    scores = {"a": (1, 0), "b": (0, 0), "c": (1, 1), "d": (1, None), "e": (0.5, 1)}
    rows = [
        {"sample_id": name, "epoch": epoch + 1, "score.s": value, "score.t": 1.0}
        for name, values in scores.items()
        for epoch, value in enumerate(values)
    ]
    queries = table(rows, scorers=["s", "t"])
    assert queries.epochs == 2
    assert ids(queries, SampleQuery(outcomes=("flaky",))) == ["a", "a", "e", "e"]
    assert ids(queries, SampleQuery(outcomes=("flaky",), by="t")) == []
    counts = queries.counts(SampleQuery())
    assert (counts.total, counts.flaky, counts.wrong) == (10, 4, 4)
    assert table([{}], name="one").counts(SampleQuery()).flaky is None


def test_what_was_right_elsewhere_can_be_asked_for(table: Make, sorted_run: regrade.Run) -> None:
    """In another run and in a baseline: samples whose every epoch and score was right there."""
    other = table(
        [
            {"sample_id": "a", "score.s": 1.0},
            {"sample_id": "a", "epoch": 2, "score.s": 0.0},
            {"sample_id": "b", "score.s": 1.0},
            {"sample_id": "c", "ok": False},
        ],
        scorers=["s"],
        name="other",
    )
    rows = [{"sample_id": name, "score.s": 0.0} for name in "abcd"]
    queries = table(rows, scorers=["s"], against=other.base.folder.path)
    assert ids(queries, SampleQuery(was_right=True, outcomes=("wrong",))) == ["b"]
    with pytest.raises(StoreError, match="held against"):
        other.page(SampleQuery(was_right=True))
    results = sorted_run.path.parent
    regrade.set_baseline("main", sorted_run.id, results=results)
    held = SampleQueries(sorted_run.folder, results / "baselines" / "main.parquet")
    right = held.page(SampleQuery(outcomes=("right",)), PageRequest(size=1000)).rows
    assert held.page(SampleQuery(was_right=True), PageRequest(size=1000)).rows == right != ()
    held.close()


def test_empty_runs_and_only_failures(table: Make) -> None:
    """No row and no score are answers like any other."""
    empty = table([], name="empty")
    assert empty.page(SampleQuery()).rows == ()
    assert empty.counts(SampleQuery(text="x")).total == 0
    assert empty.batches(SampleQuery()).read_all().num_rows == 0
    assert (empty.metadata_fields(), empty.names("eval"), empty.epochs) == ([], [], 1)
    failed = table([{"ok": False, "failure_kind": "timeout"} for _ in range(3)], name="failed", scorers=["a"])
    counts = failed.counts(SampleQuery())
    assert (counts.total, counts.failure, counts.right, counts.wrong, counts.unscored) == (3, 3, 0, 0, 0)
    assert {row.outcome for row in failed.page(SampleQuery()).rows} == {"failure"}


def test_runs_of_an_older_version_read(table: Make) -> None:
    """Columns that were added since are null."""
    newer = (
        "tool_calls",
        "reasoning_tokens",
        "cached_tokens",
        "cut_in_reasoning",
        "throttle_s",
        "attempt_log",
    )
    queries = table([{"text": "x", "score.a": 1.0}], scorers=["a"], without=newer)
    (row,) = queries.page(SampleQuery(text="x"), PageRequest(columns=newer)).rows
    assert set(row.cells.values()) == {None}
    assert row.outcome == "right"
    (queries.base.folder.path / "scores.parquet").unlink()
    again = SampleQueries(queries.base.folder)
    assert again.counts(SampleQuery()).right == 1
    again.close()


def test_what_is_gone_or_damaged_is_said(table: Make, tmp_path: Path) -> None:
    """A folder deleted while it is read, a torn table, one of a newer version, a run without tables."""
    queries = table([{}])
    folder = queries.base.folder
    shutil.rmtree(folder.path)
    with pytest.raises(StoreError, match=r"samples\.parquet was deleted while it was read"):
        queries.page(SampleQuery())
    with pytest.raises(StoreError, match="it was deleted"):
        SampleQueries(folder)
    folder.path.mkdir()
    with pytest.raises(StoreError, match="it did not finish") as error:
        SampleQueries(folder)
    assert "--resume" in str(error.value)
    folder.table_path("samples").write_bytes(b"torn")
    with pytest.raises(StoreError, match="cannot be read"):
        SampleQueries(folder)
    found = pq.read_table(table([{}], name="b").base.folder.table_path("samples"))
    newer = found.replace_schema_metadata({b"regrade.schema": b"9"})
    pq.write_table(newer, folder.table_path("samples"))
    with pytest.raises(StoreError, match="newer regrade"):
        SampleQueries(folder)


def test_what_there_is_not_is_said(table: Make) -> None:
    """Columns, orders, scorers, outcomes and cursors of another order: one clear message each."""
    queries = table([{}, {}], scorers=["exact"])
    query = SampleQuery()
    for request, message in (
        (PageRequest("latenci"), 'sorted by "latenci"'),
        (PageRequest("score.exac"), 'no scorer "exac"'),
        (PageRequest(columns=("textt",)), 'no column "textt"'),
        (PageRequest(after="%%%"), "no place in the table"),
        (PageRequest(after="eyJhIjoxfQ"), "no place in the table"),
        (PageRequest("id", after=queries.page(query, PageRequest(size=1)).next), "no place in the table"),
    ):
        with pytest.raises(UsageError, match=message):
            queries.page(query, request)
    with pytest.raises(UsageError, match='no outcome "rihgt"'):
        queries.page(SampleQuery(outcomes=("rihgt",)))  # type: ignore[arg-type] # that it is wrong is the point
    with pytest.raises(UsageError, match="too long"):
        queries.page(SampleQuery(text="x" * 5000))


@pytest.mark.parametrize("name", ["it's", "a[b]c*?", 'q"q', "Ünï"])
def test_folders_may_be_called_anything(table: Make, name: str) -> None:
    """No character of a path means more than itself."""
    assert ids(table([{}], name=name)) == ["s0"]


@pytest.fixture
def sealed(table: Make) -> Iterator[ParquetBase]:
    """Return a base over one file."""
    path = table([{}]).base.folder.table_path("samples")
    base = ParquetBase({"samples": path})
    yield base
    base.close()


@pytest.mark.parametrize(
    "sql",
    [
        "select * from read_csv('{secret}')",
        "select * from read_text('{secret}')",
        "select * from read_parquet('{other}')",
        "copy (select 1) to '{folder}/out.csv'",
        "attach '{folder}/out.db'",
        "set enable_external_access = true",
        "set allowed_paths = ['/']",
        "install httpfs",
        "load '{secret}'",
    ],
)
def test_nothing_but_the_tables_can_be_reached(
    sealed: ParquetBase, table: Make, tmp_path: Path, sql: str
) -> None:
    """Even SQL of one's own reads no other file, writes none and changes no setting."""
    secret = tmp_path / "secret.txt"
    secret.write_text("s")
    other = table([{}], name="other").base.folder.table_path("samples")
    before = sorted(tmp_path.iterdir())
    with pytest.raises(StoreError):
        sealed.rows(sql.format(secret=secret, other=other, folder=tmp_path))
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize(
    ("name", "value"), [("parquet_metadata_cache", True), ("python_enable_replacements", False)]
)
def test_settings_hold_for_every_query(sealed: ParquetBase, name: str, value: bool) -> None:
    """Each query has a connection of its own; footers are read once, and no variable is taken for a table."""
    assert sealed.rows(f"select current_setting('{name}')") == [(value,)]


def test_many_threads_may_ask_at_once(table: Make) -> None:
    """Pages, counts and searches of one run side by side."""
    rows = [{"text": f"word{n % 7}", "score.a": n % 2} for n in range(200)]
    queries = table(rows, scorers=["a"])
    failures: list[BaseException] = []

    def work(number: int) -> None:
        try:
            query = SampleQuery(text=f"word{number}")
            expected = [n for n in range(200) if n % 7 == number]
            for _ in range(3):
                assert [row.row for row in queries.page(query).rows] == expected
                assert queries.counts(query).right == sum(n % 2 for n in expected)
        except BaseException as error:  # noqa: BLE001 - told by the test's own thread
            failures.append(error)

    threads = [threading.Thread(target=work, args=(n,)) for n in (0, 1, 2, 3, 4, 5, 6, 0)]
    for one in threads:
        one.start()
    for one in threads:
        one.join(60)
    assert not failures
    assert isinstance(queries.base.folder, RunFolder)


@pytest.mark.parametrize("sort", ["place", "-latency", "id", "-score.exact_match"])
def test_where_a_page_stands_is_counted(sorted_run: regrade.Run, sort: str) -> None:
    """How many fit, and how many lie in front of a cursor, forwards and backwards."""
    queries = SampleQueries(sorted_run.folder)
    query = SampleQuery(outcomes=("wrong", "failure"))
    every = queries.page(query, PageRequest(sort, 1000)).rows
    assert queries.standing(query, PageRequest(sort)) == (len(every), 0)
    for place in (0, len(every) // 2, len(every) - 1):
        cursor = queries.cursor(sort, every[place].row)
        assert queries.standing(query, PageRequest(sort, after=cursor)) == (len(every), place + 1)
        assert queries.standing(query, PageRequest(sort, before=cursor)) == (len(every), place)
        assert queries.page(query, PageRequest(sort, 1000, after=cursor)).rows == every[place + 1 :]
    with pytest.raises(UsageError, match="no sample at place"):
        queries.cursor(sort, 10**6)
    queries.close()


def test_an_export_may_have_the_outcome(sorted_run: regrade.Run) -> None:
    """Beside the columns of the table, with types that are known before the first row."""
    queries = SampleQueries(sorted_run.folder)
    names = ("sample_id", "outcome", "latency_s", "score.exact_match", "meta.x")
    assert all(map(queries.columns.holds, names))
    assert not queries.columns.holds("score.absent")
    table = queries.batches(SampleQuery(), names).read_all()
    assert table.schema.names == queries.columns.schema(names).names == list(names)
    assert [str(one) for one in queries.columns.schema(names).types] == [
        "string",
        "string",
        "double",
        "double",
        "string",
    ]
    outcomes = [row.outcome for row in queries.page(SampleQuery(), PageRequest(size=1000)).rows]
    assert table.column("outcome").to_pylist() == outcomes
    queries.close()
