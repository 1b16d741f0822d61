"""Cohort table: the rows of all commits as one Parquet dataset, by site and visit.

It lies under the digest of what it was made from; cohort.json, written last, says which one
holds. A table that does not know of a later commit is never believed: `cohort_rows` compares the
names of the commits first, and reads the commits themselves where they differ.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from itertools import islice
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pyarrow.parquet as pq
from pydantic import BaseModel, ConfigDict, ValidationError

from surveillance.cohort import cohort_of, flat
from surveillance.errors import ResultsError
from surveillance.exports import cohort_rows as cohort_report
from surveillance.exports.contract import AssessmentRecord
from surveillance.fingerprint import digest
from surveillance.results.commit import COMMITS, Commit, holding, read_all
from surveillance.results.place import Entry, Place

TABLE, POINTER = "cohort", "cohort.json"
UNBLINDING = ("arm", "dose_level")
"""Columns of the cohort's report that no image tells."""
_PARTITION = pa.schema([("site", pa.string()), ("visit", pa.string())])
_CHUNK = 10_000
_ROUNDS_MAX = 5


class Pointer(BaseModel):
    """cohort.json: the table that holds, the one before it, and the commits it was made from."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    table: str
    previous: str | None
    commits: str
    subjects: int
    rows: int


def rows_of(record: AssessmentRecord, site: str, key: str) -> tuple[dict[str, Any], ...]:
    """Return the rows of one subject, one per visit, as plain JSON values."""
    rows = flat(cohort_of({record.subject: record}, {}).rows)
    return tuple({"site": site, "key": key, **_plain(row)} for row in rows)


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
    kept = {name: value for name, value in row.items() if name not in UNBLINDING}
    return {n: v.isoformat() if isinstance(v, date) else v for n, v in kept.items()}


def schema() -> pa.Schema:
    """Return columns and types: site, key, and those of the cohort report but arm and dose."""
    fields = [field for field in cohort_report.schema() if field.name not in UNBLINDING]
    return pa.schema([("site", pa.string()), ("key", pa.string()), *fields])


def refresh(place: Place) -> None:
    """Publish the table of what is committed now; nothing is written where nothing has changed.

    Two processes may end at once: who finds newer commits after writing writes again.

    Raises
    ------
    OutputError, ResultsError
        The store cannot be written; a commit is damaged.
    """
    for _ in range(_ROUNDS_MAX):
        entries = list(holding(place.entries(COMMITS)))
        pointer = _pointer(place)
        if not entries or _holds(place, pointer, entries):
            return
        _publish(place, entries, pointer)


def _publish(place: Place, entries: list[Entry], before: Pointer | None) -> None:
    table = _table(place, entries)
    folder = f"{TABLE}/{_digest(entries)}"
    for site, visit, part in _parts(table):
        buffer = io.BytesIO()
        pq.write_table(part.drop_columns(["site", "visit"]), buffer)
        place.write(f"{folder}/site={site}/visit={visit}/part-0.parquet", buffer.getvalue())
    pointer = Pointer(
        table=folder,
        previous=None if before is None else before.table,
        commits=_digest(entries),
        subjects=len(entries),
        rows=table.num_rows,
    )
    place.write(POINTER, (pointer.model_dump_json(indent=1) + "\n").encode("utf-8"))
    # One who has just read cohort.json still reads the table before; the one before that goes.
    for old in place.entries(TABLE):
        if not old.name.startswith((folder, pointer.previous or folder)):
            place.remove(old.name)


def cohort_rows(place: Place) -> pa.Table:
    """Return all committed rows, in order of site, subject and days.

    Raises
    ------
    ResultsError
        A commit or the table is damaged.
    """
    entries = list(holding(place.entries(COMMITS)))
    pointer = _pointer(place)
    table = _published(place, pointer, entries)
    table = _table(place, entries) if table is None else table
    order = ["site", "subject", "days_since_baseline", "label"]
    return table.select(schema().names).sort_by([(name, "ascending") for name in order])


def is_fresh(place: Place) -> bool:
    """Whether the published table knows of every commit."""
    return _holds(place, _pointer(place), list(holding(place.entries(COMMITS))))


def _holds(place: Place, pointer: Pointer | None, entries: list[Entry]) -> bool:
    return _published(place, pointer, entries, columns=[]) is not None


def _published(
    place: Place,
    pointer: Pointer | None,
    entries: list[Entry],
    columns: list[str] | None = None,
) -> pa.Table | None:
    """Return the published table; None where it knows other commits, or is not all there.

    Of two processes that publish at once, the later may take the table of the other for an old one
    and remove it.
    """
    if pointer is None or pointer.commits != _digest(entries):
        return None
    try:
        table = _dataset(place, pointer).to_table(columns)
    except OSError:
        return None
    return table if table.num_rows == pointer.rows else None


def _dataset(place: Place, pointer: Pointer) -> ds.Dataset:
    return ds.dataset(
        f"{place.root}/{pointer.table}",
        filesystem=place.filesystem,
        format="parquet",
        partitioning=ds.partitioning(_PARTITION, flavor="hive"),
        schema=schema(),
    )


def _pointer(place: Place) -> Pointer | None:
    try:
        return Pointer.model_validate_json(place.read(POINTER))
    except FileNotFoundError:
        return None
    except ValidationError as error:
        raise ResultsError("results_altered", file=POINTER) from error


def _digest(entries: Iterable[Entry]) -> str:
    return digest(f"{e.name} {e.size} {e.modified_ns}" for e in entries)[:32]


def _table(place: Place, entries: Iterable[Entry]) -> pa.Table:
    """Read the rows of commits, some thousands at a time so that memory stays that of the table."""
    commits = read_all(place, entries)
    chunks = [schema().empty_table()]
    while chunk := list(islice(commits, _CHUNK)):
        chunks.append(pa.Table.from_pylist(list(_typed(chunk)), schema=schema()))
    return pa.concat_tables(chunks)


def _typed(commits: Iterable[Commit]) -> Iterator[dict[str, Any]]:
    for commit in commits:
        for row in commit.rows:
            day = row["study_date"]
            yield {**row, "study_date": day and date.fromisoformat(day)}


def _parts(table: pa.Table) -> Iterator[tuple[str, str, pa.Table]]:
    ordered = table.sort_by([(name, "ascending") for name in ("subject", "label")])
    pairs = ordered.group_by(["site", "visit"]).aggregate([]).to_pylist()
    for pair in sorted(pairs, key=lambda p: (p["site"], p["visit"])):
        here = pc.and_(
            pc.equal(ordered["site"], pair["site"]), pc.equal(ordered["visit"], pair["visit"])
        )
        yield pair["site"], pair["visit"], ordered.filter(here)
