"""Xport: a dataset as SAS XPORT version 5, the transport format of submissions."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pandas as pd
import pyreadstat

from surveillance.exports.cdisc.datasets import Dataset

_RECORD = 80
_MONTHS = "JANFEBMARAPRMAYJUNJULAUGSEPOCTNOVDEC"
_LIBRARY, _MEMBER = 0, 3
"""Numbers of the two header records that two real headers with times follow."""


def write_xport(dataset: Dataset, path: Path, moment: datetime) -> None:
    """Write one dataset; the times in its headers are `moment`, not now: same data, same bytes."""
    kind = dataset.domain
    table = pd.DataFrame(
        {
            variable.name: pd.Series(
                [row[variable.name] for row in dataset.rows],
                dtype="float64" if variable.type in {"integer", "float"} else "object",
            )
            for variable in kind.variables
        }
    )
    pyreadstat.write_xport(
        table, path, file_label=kind.label, table_name=kind.name, file_format_version=5,
        column_labels={variable.name: variable.label for variable in kind.variables},
    )  # fmt: skip
    path.write_bytes(_at(path.read_bytes(), moment))


def _at(content: bytes, moment: datetime) -> bytes:
    """Put a time in the place of the writer's: created and modified, of library and of member.

    TS-140 (SAS, layout of version 5): 16 characters like 05NOV26:10:11:12, in the last 16 of
    the first real header of library and member, and in the first 16 of the second one.
    """
    month = _MONTHS[3 * moment.month - 3 : 3 * moment.month]  # strftime's depend on the machine
    stamp = f"{moment:%d}{month}{moment:%y:%H:%M:%S}".encode("ascii")
    changed = bytearray(content)
    for first in (_LIBRARY + 1, _MEMBER + 2):
        for start in (first * _RECORD + _RECORD - 16, (first + 1) * _RECORD):
            changed[start : start + 16] = stamp
    return bytes(changed)
