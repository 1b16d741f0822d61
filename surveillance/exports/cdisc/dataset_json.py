"""DatasetJson: a dataset as CDISC Dataset-JSON 1.1."""

from __future__ import annotations

import json
from typing import Any

from surveillance.exports.cdisc.datasets import Dataset
from surveillance.exports.cdisc.standard import Variable
from surveillance.exports.cdisc.submission import DEFINE, Submission

VERSION = "1.1.0"
_TYPES = {"text": "string", "integer": "integer", "float": "double", "date": "date"}


def dataset_json(dataset: Dataset, submission: Submission) -> str:
    """Return the file's text: attributes, columns, one row a record; a missing value is null."""
    kind = dataset.domain
    content = {
        "datasetJSONCreationDateTime": submission.created,
        "datasetJSONVersion": VERSION,
        "fileOID": f"{submission.file_oid}/{kind.name}",
        "dbLastModifiedDateTime": submission.created,
        "originator": "graftsite",
        "sourceSystem": {"name": "graftsite", "version": submission.program_version},
        "studyOID": submission.study_oid,
        "metaDataVersionOID": submission.metadata_oid,
        "metaDataRef": DEFINE,
        "itemGroupOID": f"IG.{kind.name}",
        "records": len(dataset.rows),
        "name": kind.name,
        "label": kind.label,
        "columns": [_column(dataset, variable) for variable in kind.variables],
        "rows": [[_cell(row[v.name]) for v in kind.variables] for row in dataset.rows],
    }
    return json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _column(dataset: Dataset, variable: Variable) -> dict[str, Any]:
    name, keys = variable.name, dataset.domain.keys
    column: dict[str, Any] = {
        "itemOID": f"IT.{dataset.domain.name}.{name}",
        "name": name,
        "label": variable.label,
        "dataType": _TYPES[variable.type],
    }
    if variable.type == "text":
        column["length"] = dataset.length(name)
    if name in keys:
        column["keySequence"] = keys.index(name) + 1
    return column


def _cell(value: object) -> object:
    return None if value == "" else value
