"""cohort_report.csv and cohort_report.parquet: the rows behind the cohort report."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import get_args, get_type_hints

import pyarrow as pa
import pyarrow.parquet as pq

from surveillance.cohort import Row, flat
from surveillance.exports.cohort_csv import cell
from surveillance.exports.writing import write_text, write_with

_TYPES = {"str": pa.string(), "date": pa.date32(), "int": pa.int64(), "bool": pa.bool_(),
          "float": pa.float64()}  # fmt: skip


def save_rows(rows: Sequence[Row], csv_path: Path, parquet_path: Path) -> None:
    """Write the same rows in both forms; what was not measured is empty, and null.

    Raises
    ------
    OutputError
        A file cannot be written.
    """
    write_text(csv_path, _csv(rows))
    table = pa.Table.from_pylist(flat(rows), schema=schema())
    write_with(parquet_path, lambda temporary: pq.write_table(table, temporary))


def schema() -> pa.Schema:
    """Return columns and types, which are those of `Row`."""
    hints = get_type_hints(Row)
    return pa.schema([(name, _TYPES[_plain(hint)]) for name, hint in hints.items()])


def _plain(hint: object) -> str:
    """Return the name of a type without `| None`."""
    return str((get_args(hint) or (hint,))[0].__name__)


def _csv(rows: Sequence[Row]) -> str:
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, list(get_type_hints(Row)), lineterminator="\n")
    writer.writeheader()
    for row in flat(rows):
        writer.writerow({name: cell(value) for name, value in row.items()})
    return buffer.getvalue()
