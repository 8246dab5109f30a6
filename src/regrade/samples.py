"""From rows to samples: mapping, filtering, ids, shuffling, limiting; streamed."""

import hashlib
import itertools
import math
import random
import tempfile
from array import array
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import IO, TypeVar

from regrade.errors import BadRows, DatasetError, Location, TemplateError
from regrade.jsonio import content_hash, dumps, loads
from regrade.media import packed, unpacked
from regrade.protocols import DatasetLoader, SkippingLoader
from regrade.templates import Expression, FieldMapping, Template, look_up
from regrade.types import Json, JsonObject, Row, Sample

__all__ = ["SampleFields", "SampleReader", "draw"]

T = TypeVar("T")

_ROW = "row"
_HASH_BYTES = 8
_PASSED_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class SampleFields:
    """How rows become samples, as the spec says it; None takes the default column where there is one.

    Attributes:
        id: Column, template, or "row" for the row's number.
        input: Column or template, or a list or mapping of these; default column `input`, else the whole row.
        target: Likewise; default column `target`, else none.
        metadata: Columns, "*" for all without other use, or names with templates; default column `metadata`.
        where: Expression; rows for which it is false are left out.
        cluster: Metadata name, column or template.
        shuffle: Seed, or None for the order of the file.
        limit: A count, a fraction below 1, or None for all.
    """

    id: str | None = None
    input: Json = None
    target: Json = None
    metadata: list[str] | dict[str, Json] | str | None = None
    where: str | None = None
    cluster: str | None = None
    shuffle: int | None = None
    limit: int | float | None = None


class SampleReader:
    """The samples of one dataset; iterating reads the dataset afresh, holding one row at a time.

    A shuffled dataset is spooled to a temporary file, of which only the rows' offsets stay in memory; for
    the check on duplicate ids eight bytes of each id do.

    Args:
        loader: Where the rows come from.
        fields: How they are mapped.
        name: What messages call the dataset: its file, or the loader.
        where: The place of the dataset in the spec, for messages about its templates.
        cluster_where: That of `cluster`.

    Raises:
        TemplateError: When a template or expression in the mapping is not valid.
    """

    def __init__(
        self,
        loader: DatasetLoader,
        fields: SampleFields,
        name: str,
        where: Location | None = None,
        cluster_where: Location | None = None,
    ) -> None:
        self._loader = loader
        self._fields = fields
        self._name = name
        self._where = where
        self._mapper = _Mapper(fields, where, cluster_where or where)
        self._ids_differ = fields.id == _ROW

    def __iter__(self) -> Iterator[Sample]:
        """Yield the samples; that their ids differ is checked until all were seen once.

        Raises:
            DatasetError: Naming file and line of a row that does not fit, both lines of a duplicate id, or a
                dataset without a sample.
        """
        samples = self._unique(self._all())
        if self._fields.shuffle is not None:
            samples = _shuffled(samples, self._fields.shuffle)
        count = 0
        for sample in _limited(samples, self._fields.limit, self._count):
            count += 1
            yield sample
        if not count:
            raise self._no_samples()

    def missing(self, known: Callable[[str], bool], begin: int = 0) -> Iterator[tuple[int, Sample | None]]:
        """Yield place and sample of each whose id is not known; what is known is hardly looked at.

        Now and then None comes in place of a sample, so that nobody waits long for the next one.

        Args:
            known: Tells whether an id is known.
            begin: The place to begin at; what lies before it comes last. A shuffled dataset, which has to be
                read before its first sample comes, begins at the first.

        Raises:
            DatasetError: Naming file and line of a row that does not fit, where it was looked at.
        """
        if self._fields.shuffle is not None:
            for place, sample in enumerate(self):
                if not known(sample.id):
                    yield place, sample
                elif place % _PASSED_AT_ONCE == _PASSED_AT_ONCE - 1:
                    yield place, None
            return
        yield from self._missing(self._placed(begin), known)
        if begin:
            yield from self._missing(itertools.islice(self._placed(0), begin), known)

    def _missing(
        self, placed: Iterable[tuple[int, tuple[int, Row]]], known: Callable[[str], bool]
    ) -> Iterator[tuple[int, Sample | None]]:
        for place, (number, row) in placed:
            try:
                missing = None if known(self._mapper.id_of(row, number)) else self._mapper.sample(row, number)
            except TemplateError as error:
                raise self._unfit(row, number, error) from error
            if missing is not None or place % _PASSED_AT_ONCE == _PASSED_AT_ONCE - 1:
                yield place, missing

    def _placed(self, begin: int) -> Iterator[tuple[int, tuple[int, Row]]]:
        """Yield what `_kept` yields from a place on, within the limit, each with its place."""
        loader, limit = self._loader, self._fields.limit
        counted = self._fields.where is not None or isinstance(limit, float)
        if begin and not counted and isinstance(loader, SkippingLoader):
            rows = enumerate(loader.load_after(begin), start=begin + 1)
            left = None if limit is None else limit - begin
            return enumerate(_limited(rows, left, self._count), start=begin)
        placed = enumerate(_limited(self._kept(), limit, self._count))
        return itertools.islice(placed, begin, None)

    def _all(self) -> Iterator[Sample]:
        rows = self._kept()
        for taken, (number, row) in enumerate(rows, start=1):
            try:
                sample = self._mapper.sample(row, number)
            except TemplateError as error:
                limit, ordered = self._fields.limit, self._fields.shuffle is None
                left = limit - taken if isinstance(limit, int) and ordered else None
                first = self._unfit(row, number, error)
                raise self._together(first, itertools.islice(rows, left), self._mapper.sample) from error
            yield sample

    def _kept(self) -> Iterator[tuple[int, Row]]:
        """Yield the rows that `where` lets through, numbered from 1 with those that it does not."""
        rows = enumerate(self._loader.load(), start=1)
        for number, row in rows:
            try:
                kept = self._mapper.keeps(row)
            except TemplateError as error:
                first = self._unfit(row, number, error)
                raise self._together(first, rows, lambda row, _: self._mapper.keeps(row)) from error
            if kept:
                yield number, row

    def _together(
        self, first: DatasetError, rows: Iterable[tuple[int, Row]], look: Callable[[Row, int], object]
    ) -> DatasetError:
        """Return one error for a row that does not fit and all behind it, of which none becomes a sample.

        Args:
            first: Of the first row.
            rows: Those behind it, numbered.
            look: Raises where a row does not fit.
        """
        bad = BadRows(self._name)
        bad.add(first)
        try:
            for number, row in rows:
                try:
                    look(row, number)
                except TemplateError as error:
                    bad.add(self._unfit(row, number, error))
                if bad.is_full:
                    break
        except DatasetError as error:  # of the file itself
            bad.add(error)
        return bad.error()

    def _unfit(self, row: Row, number: int, error: TemplateError) -> DatasetError:
        where = Location(self._name, row.line or number)
        asked = error.where or self._where
        hint = f"{error.hint or ''}\n  asked for at {asked}".strip() if asked else error.hint
        return DatasetError(error.message, where=where, hint=hint)

    def _count(self) -> int:
        return sum(1 for _ in self._kept())

    def _unique(self, samples: Iterable[Sample]) -> Iterator[Sample]:
        if self._ids_differ:
            yield from samples
            return
        seen: set[bytes] = set()
        for sample in samples:
            digest = hashlib.blake2b(
                sample.id.encode("utf-8", "surrogatepass"), digest_size=_HASH_BYTES
            ).digest()
            if digest in seen:
                raise self._duplicate(sample)
            seen.add(digest)
            yield sample
        self._ids_differ = True

    def _duplicate(self, second: Sample) -> DatasetError:
        lines = []
        for sample in self._all():
            if sample.id == second.id:
                lines.append(sample.line)
            if len(lines) > 1:
                break
        both = " and ".join(str(line) for line in lines)
        what = f'the id "{second.id}" stands' if self._mapper.names_ids else "the same content stands"
        return DatasetError(
            f"{what} in lines {both}",
            where=Location(self._name, second.line),
            hint="give every row an id of its own, or say `id: row` to number the rows",
        )

    def _no_samples(self) -> DatasetError:
        rows = sum(1 for _ in self._loader.load())
        if rows and self._fields.where:
            message = f"no sample is left: `where` is false for all {rows:,} rows"
            return DatasetError(message, where=Location(self._name), hint=f"where: {self._fields.where}")
        if rows:
            return DatasetError(
                f"a fraction of {self._fields.limit} of {rows} rows is none", where=Location(self._name)
            )
        return DatasetError("no rows", where=Location(self._name))


class _Mapper:
    """Maps one row."""

    def __init__(self, fields: SampleFields, where: Location | None, cluster_where: Location | None) -> None:
        self.names_ids = fields.id is not None
        self._by_number = fields.id == _ROW
        self._id = None if fields.id in {None, _ROW} else FieldMapping(fields.id, where)
        self._input = None if fields.input is None else FieldMapping(fields.input, where)
        self._target = None if fields.target is None else FieldMapping(fields.target, where)
        self._where = None if fields.where is None else Expression(fields.where, where)
        self._metadata = _MetadataMapping(fields, where, self._used())
        self._cluster = fields.cluster
        template = fields.cluster and ("{{" in fields.cluster or "{%" in fields.cluster)
        self._cluster_where = cluster_where
        self._cluster_template = (
            Template(fields.cluster, cluster_where) if fields.cluster and template else None
        )

    def _used(self) -> frozenset[str]:
        mappings = [one for one in (self._id, self._input, self._target) if one is not None]
        named: frozenset[str] = frozenset().union(*(one.columns for one in mappings))
        defaults = {"id": self._id, "input": self._input, "target": self._target}
        return named | {name for name, mapping in defaults.items() if mapping is None}

    def keeps(self, row: Row) -> bool:
        return self._where is None or bool(self._where.value(row.data))

    def sample(self, row: Row, number: int) -> Sample:
        data = row.data
        input_, target = self._content(data)
        metadata = self._metadata.value(data)
        return Sample(
            id=self.id_of(row, number),
            input=input_,
            target=target,
            metadata=metadata,
            fingerprint=content_hash([input_, target]),
            cluster=self._cluster_of(data, metadata),
            row=data,
            line=number if row.line is None else row.line,
        )

    def _content(self, data: JsonObject) -> tuple[Json, Json]:
        input_ = self._input.value(data) if self._input else data.get("input", data)
        return input_, self._target.value(data) if self._target else data.get("target")

    def id_of(self, row: Row, number: int) -> str:
        if self._by_number:
            return str(number)
        if self._id is not None:
            return _as_id(self._id.value(row.data))
        if row.data.get("id") is not None:
            self.names_ids = True
            return _as_id(row.data["id"])
        return content_hash([*self._content(row.data)])[:16]

    def _cluster_of(self, data: JsonObject, metadata: JsonObject) -> str | None:
        if self._cluster is None:
            return None
        if self._cluster_template is not None:
            return self._cluster_template.render({**data, "metadata": metadata})
        try:
            value = metadata[self._cluster] if self._cluster in metadata else look_up(data, self._cluster)
        except TemplateError as error:
            raise TemplateError(
                f"cluster: {error.message}", where=self._cluster_where, hint=error.hint
            ) from error
        return value if isinstance(value, str) else dumps(value)


def _as_id(value: Json) -> str:
    if value is None or value == "":
        raise TemplateError("the id is empty")
    return value if isinstance(value, str) else dumps(value)


class _MetadataMapping:
    """Takes the metadata of a row."""

    def __init__(self, fields: SampleFields, where: Location | None, used: frozenset[str]) -> None:
        source = fields.metadata
        self._rest = source == "*"
        self._used = used
        self._default = source is None
        names = {name: name for name in source} if isinstance(source, list) else source
        self._named = {
            name: FieldMapping(one, where) for name, one in (names.items() if isinstance(names, dict) else ())
        }

    def value(self, data: JsonObject) -> JsonObject:
        if self._default:
            found = data.get("metadata")
            return found if isinstance(found, dict) else {}
        if self._rest:
            return {name: value for name, value in data.items() if name not in self._used}
        return {name: mapping.value(data) for name, mapping in self._named.items()}


def _limited(these: Iterable[T], limit: float | None, count: Callable[[], int]) -> Iterator[T]:
    if limit is None:
        yield from these
        return
    most = limit if isinstance(limit, int) else math.floor(count() * limit + 0.5)
    if most < 1:
        return
    for number, one in enumerate(these, start=1):
        yield one
        if number >= most:
            return


def _shuffled(samples: Iterable[Sample], seed: int) -> Iterator[Sample]:
    """Yield the samples in a seeded order; the samples wait in a temporary file, not in memory."""
    offsets = array("q")
    with closing(tempfile.TemporaryFile()) as spool:
        for sample in samples:
            offsets.append(spool.tell())
            spool.write(dumps(packed(_packed(sample))).encode("utf-8", "surrogatepass") + b"\n")
        random.Random(seed).shuffle(offsets)  # noqa: S311 - a reproducible order, no secret
        for offset in offsets:
            yield _unpacked(spool, offset)


def _packed(sample: Sample) -> list[Json]:
    return [
        sample.id,
        sample.input,
        sample.target,
        sample.metadata,
        sample.fingerprint,
        sample.cluster,
        sample.row,
        sample.line,
    ]


def _unpacked(spool: IO[bytes], offset: int) -> Sample:
    spool.seek(offset)
    return Sample(*unpacked(loads(spool.readline())))


def draw(samples: Iterable[Sample], count: int, seed: int) -> list[Sample]:
    """Draw worked examples: one more than `count`, so that a sample need never see itself.

    Every sample has the same chance (reservoir sampling, Vitter 1985), in one pass.
    """
    generator = random.Random(seed)  # noqa: S311 - a reproducible draw, no secret
    kept: list[Sample] = []
    for number, sample in enumerate(samples):
        if len(kept) <= count:
            kept.append(sample)
            continue
        slot = generator.randrange(number + 1)
        if slot <= count:
            kept[slot] = sample
    generator.shuffle(kept)
    return kept
