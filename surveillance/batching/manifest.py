"""Manifest: a table that says where the images of each subject lie, for thousands of them.

Columns: `subject`, `path` (file, folder or ZIP archive, relative to the manifest's folder; or
the address of images in a PACS), and `site` if there are several. A subject may have several
rows, one per visit say.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from imaging.errors import UsageError
from imaging.loaders.identity import safe_name
from surveillance.batching.archive import archive_at, is_address
from surveillance.batching.unit import Unit
from surveillance.pacs.configuration import Configuration

SUFFIXES = (".csv", ".parquet")
REQUIRED = ("subject", "path")


def is_manifest(path: Path) -> bool:
    """Whether a path names a manifest and no images."""
    return path.suffix.lower() in SUFFIXES


def load_manifest(
    path: Path, site: str, configuration: Configuration | None = None
) -> tuple[Unit, ...]:
    """Read a manifest; `site` is meant where it states none, `configuration` knows the PACS.

    Returns
    -------
    tuple of Unit
        In order of site and subject. A manifest without rows gives none.

    Raises
    ------
    UsageError
        It cannot be read, lacks a column or a value, or a name cannot be a folder's; the address
        of a PACS is not of its form, or not alone.
    """
    places: dict[tuple[str, str], list[str]] = {}
    for line, row in enumerate(_rows(path), start=2):
        values = {name: str(row.get(name) or "").strip() for name in (*REQUIRED, "site")}
        for name in REQUIRED:
            if not values[name]:
                raise _refused(path, line, f"no {name}")
        who = values["site"] or site, values["subject"]
        for name in who:
            if safe_name(name) != name:
                raise _refused(path, line, f"'{name[:40]}' has other signs than A-Z a-z 0-9 . _ -")
        places.setdefault(who, []).append(values["path"])
    units = (_unit(path, who, given, configuration) for who, given in places.items())
    return tuple(sorted(units, key=lambda unit: unit.name))


def _unit(
    path: Path, who: tuple[str, str], given: list[str], configuration: Configuration | None
) -> Unit:
    if not any(map(is_address, given)):
        return Unit(*who, tuple(sorted({(path.parent / place).absolute() for place in given})))
    nodes = {place.partition("?")[0] for place in given}
    if len(nodes) > 1:
        raise _refused(path, 0, f"{who[1]} lies in a PACS and elsewhere too")
    asked = "&".join(place.partition("?")[2] for place in given)
    return Unit(*who, (), archive=archive_at(f"{nodes.pop()}?{asked}", configuration))


def _rows(path: Path) -> Iterator[Mapping[str, Any]]:
    try:
        rows = list(_of_parquet(path) if path.suffix.lower() == ".parquet" else _of_csv(path))
    except (OSError, UnicodeDecodeError, csv.Error, pa.ArrowException) as error:
        raise _refused(path, 0, type(error).__name__) from error
    lacking = [name for name in REQUIRED if rows and name not in rows[0]]
    if lacking:
        raise _refused(path, 1, f"no column {', '.join(lacking)}")
    yield from rows


def _of_parquet(path: Path) -> list[dict[str, Any]]:
    return list(pq.read_table(path).to_pylist())


def _of_csv(path: Path) -> list[dict[str, Any]]:
    with path.open(newline="", encoding="utf-8-sig") as file:
        return list(csv.DictReader(file, strict=True))


def _refused(path: Path, line: int, detail: str) -> UsageError:
    return UsageError("manifest", file=path, line=line, detail=detail)
