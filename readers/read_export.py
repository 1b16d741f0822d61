"""Read export: every signed answer as CSV and JSON, with a dictionary of what each column means.

Signed answers only, each version of them; drafts are not data. Arm and dose are never in it, so
that the export can be made while the trial is blinded. Texts are as they were typed: open the CSV
as data, a spreadsheet program takes a text that begins with = for a formula.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from sqlalchemy import Connection, select

from readers import tables
from readers.actor import SYSTEM
from readers.canonical import loaded
from readers.form import Form, Item, load_form
from readers.store import Store

BASE: dict[str, str] = {
    "case_id": "case",
    "visit": "visit label",
    "reader": "sign-in name of the reader",
    "slot": "first or second reader of the case",
    "is_reread": "a re-read for intra-reader variability",
    "signed_version": "number of the signed answer within its read",
    "kind": "first, correction, or after_machine (a change of mind; never counts)",
    "counts": "this is the answer that counts",
    "reason": "why it was corrected or changed",
    "machine_seen": "the machine's values had been shown before",
    "spent_s": "seconds at the form until the first signature",
    "form_version": "version of the form",
    "case_version": "version of the case that was read",
    "signer": "name in the signature",
    "signed_at": "UTC time of the signature",
    "meaning": "meaning of the signature",
    "signature_sha256": "hash of the signed statement",
}
DICTIONARY = ("file", "column", "meaning_en", "meaning_zh", "kind", "unit", "allowed")


def export_reads(store: Store) -> dict[str, str]:
    """Return file names and their content: reads.csv, one CSV a table, decisions, JSON, dictionary.

    The export itself is told in the audit trail.
    """
    with store.writing(SYSTEM) as writing:
        writing.record("reads.exported", "store")
    with store.reading() as connection:
        records = [_record(row) for row in _rows(connection)]
        decisions = _decisions(connection)
    _mark_counting(records)
    forms = [load_form(v) for v in sorted({r["form_version"] for r in records} or {"1"}, key=int)]
    names = _names(forms)
    files = {
        "reads.csv": _csv(_columns(names), (_flat(r, names) for r in records)),
        "reads.json": json.dumps({"reads": records, "decisions": decisions}, indent=1,
                                 ensure_ascii=False) + "\n",
        "decisions.csv": _csv(_DECISION, decisions),
        "dictionary.csv": _csv(DICTIONARY, _dictionary(forms)),
    }  # fmt: skip
    files["marks.csv"] = _csv((*_KEY, *_MARK), _marks(records))
    for name, item in names.items():
        if item.kind == "table":
            files[f"{name}.csv"] = _table(name, item, records)
    return files


_DECISION = ("case_id", "visit", "differing", "choice", "reason", "signer", "signed_at",
             "signature_sha256", "endpoints", "answers")  # fmt: skip
_MARK = {
    "id": "named by a focus",
    "kind": "point, length, ellipse, pixel_value",
    "series": "image by role",
    "slice_index": "from 0 along the image's k axis",
    "points_lps_mm": "JSON, DICOM patient coordinates in mm",
    "value": "length in mm, area in mm2, or the pixel's value",
    "unit": "of the value",
    "ratio_to_muscle": "value over the reference muscle's median",
    "image_visit": "label of the visit whose image it lies on",
    "plane": "plane that slice_index counts along",
}
_KEY = ("case_id", "visit", "reader", "is_reread", "signed_version")


def _rows(connection: Connection) -> Iterable[Any]:
    read, signed, signature = tables.read, tables.signed, tables.signature
    assignment, account, case = tables.assignment, tables.account, tables.case_version
    return connection.execute(
        select(
            signed, signature.c.statement, signature.c.sha256, read.c.visit, read.c.form_version,
            assignment.c.case_id, assignment.c.slot, assignment.c.repeats_id,
            assignment.c.withdrawn, account.c.name, case.c.version.label("case_version"),
        )
        .join(signature, signature.c.signed_id == signed.c.id)
        .join(read, read.c.id == signed.c.read_id)
        .join(assignment, assignment.c.id == read.c.assignment_id)
        .join(account, account.c.id == assignment.c.reader_id)
        .join(case, case.c.id == read.c.case_version_id)
        .order_by(signed.c.id)
    ).all()  # fmt: skip


def _record(row: Any) -> dict[str, Any]:
    content: Any = loaded(row.content)
    statement: Any = loaded(row.statement)
    return {
        "case_id": row.case_id,
        "visit": row.visit,
        "reader": row.name,
        "slot": row.slot,
        "is_reread": row.repeats_id is not None,
        "signed_version": row.version,
        "kind": row.kind,
        "counts": row.kind != "after_machine" and not row.withdrawn,
        "reason": row.reason,
        "machine_seen": row.machine_seen,
        "spent_s": row.spent_s,
        "form_version": row.form_version,
        "case_version": row.case_version,
        "signer": statement["signer"],
        "signed_at": statement["at"],
        "meaning": statement["meaning"],
        "signature_sha256": row.sha256,
        "endpoints": content["endpoints"],
        "answers": content["answers"],
        "marks": content["marks"],
        "images": statement["images"],
        "masks": statement["masks"],
        "read": row.read_id,
    }


def _mark_counting(records: list[dict[str, Any]]) -> None:
    """Let only the last counting version of each read count."""
    last = {r["read"]: r["signed_version"] for r in records if r["counts"]}
    for record in records:
        record["counts"] &= record["signed_version"] == last.get(record["read"])


def _decisions(connection: Connection) -> list[dict[str, Any]]:
    found, decision, signature = tables.discordance, tables.decision, tables.signature
    rows = connection.execute(
        select(found, decision.c.choice, decision.c.reason, decision.c.content,
               signature.c.statement, signature.c.sha256)
        .join(decision, decision.c.discordance_id == found.c.id)
        .join(signature, signature.c.decision_id == decision.c.id)
        .order_by(decision.c.id)
    ).all()  # fmt: skip
    return [_decision(row) for row in rows]


def _decision(row: Any) -> dict[str, Any]:
    content: Any = loaded(row.content)
    statement: Any = loaded(row.statement)
    return {
        "case_id": row.case_id,
        "visit": row.visit,
        "differing": loaded(row.differing),
        "choice": row.choice,
        "reason": row.reason,
        "signer": statement["signer"],
        "signed_at": statement["at"],
        "signature_sha256": row.sha256,
        "endpoints": content["endpoints"],
        "answers": content["answers"],
    }


def _names(forms: Iterable[Form]) -> dict[str, Any]:
    """Return the questions of all versions in use, in the order of the newest."""
    return {q.id: q for form in reversed(list(forms)) for q in form.questions}


def _endpoints() -> tuple[str, ...]:
    return tuple(sorted(load_form("1").endpoints))


def _columns(names: Mapping[str, Item]) -> tuple[str, ...]:
    answers = tuple(f"answer.{name}" for name, item in names.items() if item.kind != "table")
    return (*BASE, *(f"endpoint.{name}" for name in _endpoints()), *answers)


def _flat(record: Mapping[str, Any], names: Mapping[str, Item]) -> dict[str, Any]:
    row = {name: record[name] for name in BASE}
    row |= {f"endpoint.{name}": record["endpoints"].get(name) for name in _endpoints()}
    for name, item in names.items():
        if item.kind != "table":
            value = record["answers"].get(name)
            row[f"answer.{name}"] = ";".join(value) if isinstance(value, list) else value
    return row


def _marks(records: Iterable[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    for record in records:
        key = {name: record[name] for name in _KEY}
        for mark in record["marks"]:
            lies_on = mark.get("visit") or record["visit"]
            yield {**mark, **key, "image_visit": lies_on}


def _table(name: str, item: Any, records: Iterable[Mapping[str, Any]]) -> str:
    columns = (*_KEY, "row", *(column.id for column in item.columns))
    rows = (
        {**{key: record[key] for key in _KEY}, "row": number, **cells}
        for record in records
        for number, cells in enumerate(record["answers"].get(name, []), 1)
    )
    return _csv(columns, rows)


def _dictionary(forms: Iterable[Form]) -> Iterator[dict[str, Any]]:
    for name, meaning in BASE.items():
        yield {"file": "reads.csv", "column": name, "meaning_en": meaning}
    for name in _endpoints():
        yield {
            "file": "reads.csv",
            "column": f"endpoint.{name}",
            "meaning_en": "the endpoint by the form's rules",
            "kind": "choice",
            "allowed": "favorable;adverse;indeterminate",
        }
    for name, meaning in _MARK.items():
        yield {"file": "marks.csv", "column": name, "meaning_en": meaning}
    for name, item in _names(forms).items():
        if item.kind == "table":
            for column in item.columns:
                yield _entry(f"{name}.csv", column.id, column)
        else:
            yield _entry("reads.csv", f"answer.{name}", item)


def _entry(file: str, column: str, item: Item) -> dict[str, Any]:
    allowed = ";".join(option.id for option in item.options)
    if item.kind == "number":
        allowed = f"{item.min:g} to {item.max:g}"
    return {
        "file": file,
        "column": column,
        "meaning_en": item.label.en,
        "meaning_zh": item.label.zh,
        "kind": item.kind,
        "unit": item.unit,
        "allowed": allowed,
    }


def _csv(columns: Iterable[str], rows: Iterable[Mapping[str, Any]]) -> str:
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, list(columns), restval="", lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({key: _cell(value) for key, value in row.items()})
    return buffer.getvalue()


def _cell(value: Any) -> Any:
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False)
    return str(value).lower() if isinstance(value, bool) else value
