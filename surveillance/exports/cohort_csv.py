"""cohort.csv and errors.csv: the flat tables of a run."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import UnionType
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel

from surveillance.exports.contract import AssessmentRecord, VisitBlock
from surveillance.exports.writing import write_text

ERROR_COLUMNS = ("subject", "visit", "series", "code", "message")


def save_cohort(records: Iterable[AssessmentRecord], path: Path) -> None:
    """Write one row per subject and visit; nested names are joined by dots.

    The columns follow the contract's model, so they are the same for every run. Lists (nodules,
    foci, reasons) stand as compact JSON in one cell; a number that could not be measured is empty.
    """
    columns = ("subject", *_columns(VisitBlock))
    rows = (
        {"subject": record.subject, **_row(visit)} for record in records for visit in record.visits
    )
    write_text(path, _table(columns, rows))


def save_errors(rows: Iterable[Mapping[str, str]], path: Path) -> None:
    """Write what could not be used: subject, visit, series, code, message."""
    write_text(path, _table(ERROR_COLUMNS, rows))


def _table(columns: tuple[str, ...], rows: Iterable[Mapping[str, Any]]) -> str:
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, columns, lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({name: cell(row.get(name)) for name in columns})
    return buffer.getvalue()


def _columns(block: type[BaseModel], prefix: str = "") -> list[str]:
    names = []
    for name, field in block.model_fields.items():
        inner = _block_in(field.annotation)
        names += _columns(inner, f"{prefix}{name}.") if inner else [f"{prefix}{name}"]
    return names


def _block_in(annotation: Any) -> type[BaseModel] | None:
    """Return the model a field holds directly or optionally, None for numbers and lists."""
    options = get_args(annotation) if get_origin(annotation) in (Union, UnionType) else [annotation]
    models = [o for o in options if isinstance(o, type) and issubclass(o, BaseModel)]
    return models[0] if models else None


def _row(visit: VisitBlock) -> dict[str, Any]:
    return dict(_flat(visit.model_dump(mode="json"), ""))


def _flat(block: dict[str, Any], prefix: str) -> Iterable[tuple[str, Any]]:
    for name, value in block.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def cell(value: Any) -> Any:
    """Return a value as it stands in a CSV file."""
    if isinstance(value, list):
        value = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    if isinstance(value, bool):
        return str(value).lower()
    # A spreadsheet runs a cell that begins like a formula; a leading quote makes it text again.
    if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t"):
        return f"'{value}"
    return value
