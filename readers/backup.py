"""Backup: the whole store in one file, and back into an empty database of either kind.

The file is a ZIP with one JSON Lines member a table, from one consistent state, and a manifest
with the schema version, the newest audit entry and a SHA-256 of each member. Sessions are not
in it: who restores signs in again. A backup of an older version is restored as that version and
then migrated.
"""

from __future__ import annotations

import base64
import hashlib
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, BinaryIO

from sqlalchemy import Connection, MetaData, Table, func, insert, inspect, select
from sqlalchemy.types import LargeBinary

from readers import audit, schema
from readers.actor import SYSTEM
from readers.anchor import ANCHOR_FILE, Anchor, Anchored, load_anchored
from readers.clock import Clock, utc_now, written
from readers.errors import StoreError
from readers.store import Store, Writing, connected, only_writer, told_plainly

MANIFEST = "manifest.json"
FORMAT = 1
BATCH = 500
LEFT_OUT = frozenset({"session", "alembic_version"})


def back_up(store: Store, file: BinaryIO) -> int:
    """Write a backup; return how many audit entries it holds, the one that tells of it included."""
    with store.writing(SYSTEM) as writing:
        writing.record("store.backed_up", "store")
    with store.reading() as connection, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        hashes = {
            table.name: _write(archive, connection, table)
            for table in _tables(connection)
            if table.name not in LEFT_OUT
        }
        seq, hash_, _ = audit.head(connection)
        manifest = {
            "format": FORMAT,
            "schema": schema.current(connection),
            "audit": {"seq": seq, "hash": hash_},
            "sha256": hashes,
        }
        archive.writestr(MANIFEST, json.dumps(manifest, indent=2))
    return seq


def _tables(connection: Connection) -> list[Table]:
    metadata = MetaData()
    metadata.reflect(connection)
    return metadata.sorted_tables


def _write(archive: zipfile.ZipFile, connection: Connection, table: Table) -> str:
    hashed = hashlib.sha256()
    with archive.open(f"{table.name}.jsonl", "w") as member:
        rows = connection.execution_options(yield_per=BATCH).execute(
            select(table).order_by(*table.primary_key.columns)
        )
        for row in rows:
            line = json.dumps(_plain(row._mapping), ensure_ascii=False).encode("utf-8") + b"\n"
            hashed.update(line)
            member.write(line)
    return hashed.hexdigest()


def _plain(row: Any) -> dict[str, object]:
    return {
        name: base64.b64encode(value).decode("ascii") if isinstance(value, bytes) else value
        for name, value in row.items()
    }


def restore(
    file: Path, url: str, *, reason: str, anchor: Anchor | None = None, clock: Clock = utc_now
) -> int:
    """Put a backup into an empty database; return how many audit entries it held.

    The restore is an audit entry of its own, with the reason and with what the anchor knew; the
    anchor before is kept as evidence and a new one written.

    Raises
    ------
    StoreError
        The file is no backup, is damaged, or is of a newer version; the database is not empty.
    """
    with _opened(file) as archive:
        manifest = _manifest(archive, file)
        store = Store(connected(url), clock)
        try:
            head = _restored(store, archive, manifest, file, reason, anchor)
        finally:
            store.close()
    if anchor is not None:
        anchor.replace(head)
    return int(manifest["audit"]["seq"])


def _restored(
    store: Store,
    archive: zipfile.ZipFile,
    manifest: dict[str, Any],
    file: Path,
    reason: str,
    anchor: Anchor | None,
) -> Anchored:
    with told_plainly(), only_writer(store.engine) as connection:
        _fill(connection, archive, manifest, file)
        schema.upgrade(connection)
        _tell(connection, written(store.clock()), int(manifest["audit"]["seq"]), anchor, reason)
        return Anchored(*audit.head(connection))


def _opened(file: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(file)
    except (OSError, zipfile.BadZipFile) as error:
        raise StoreError("backup_unreadable", file=file.name) from error


def _manifest(archive: zipfile.ZipFile, file: Path) -> dict[str, Any]:
    try:
        manifest: dict[str, Any] = json.loads(archive.read(MANIFEST))
        for name, hashed in manifest["sha256"].items():
            with archive.open(f"{name}.jsonl") as member:
                if _digest(member) != hashed:
                    raise StoreError("backup_damaged", file=file.name, part=name)
    except (KeyError, ValueError, zipfile.BadZipFile) as error:
        raise StoreError("backup_unreadable", file=file.name) from error
    if manifest["format"] != FORMAT or not schema.knows(manifest["schema"]):
        raise StoreError("store_too_new", version=manifest["schema"], newest=schema.newest())
    return manifest


def _digest(member: IO[bytes]) -> str:
    hashed = hashlib.sha256()
    while block := member.read(1 << 20):
        hashed.update(block)
    return hashed.hexdigest()


def _fill(
    connection: Connection, archive: zipfile.ZipFile, manifest: dict[str, Any], file: Path
) -> None:
    if inspect(connection).get_table_names():
        raise StoreError("restore_not_empty", file=file.name)
    schema.upgrade(connection, to=manifest["schema"])
    for table in _tables(connection):
        if table.name not in LEFT_OUT:
            _insert(connection, table, archive)
    if connection.dialect.name == "postgresql":
        _go_on_counting(connection)


def _insert(connection: Connection, table: Table, archive: zipfile.ZipFile) -> None:
    binary = [c.name for c in table.columns if isinstance(c.type, LargeBinary)]
    for rows in _batches(archive, table.name):
        for row in rows:
            for name in binary:
                row[name] = base64.b64decode(row[name])
        connection.execute(insert(table), rows)


def _batches(archive: zipfile.ZipFile, name: str) -> Iterator[list[dict[str, Any]]]:
    batch: list[dict[str, Any]] = []
    with archive.open(f"{name}.jsonl") as member:
        for line in member:
            batch.append(json.loads(line))
            if len(batch) == BATCH:
                yield batch
                batch = []
    if batch:
        yield batch


def _go_on_counting(connection: Connection) -> None:
    """Let PostgreSQL's counters start after the ids that were put in."""
    for table in _tables(connection):
        if "id" in table.columns:
            sequence = func.pg_get_serial_sequence(table.name, "id")
            last = select(func.coalesce(func.max(table.c.id), 0) + 1).scalar_subquery()
            connection.execute(select(func.setval(sequence, last, False)))


def _tell(connection: Connection, at: str, seq: int, anchor: Anchor | None, reason: str) -> None:
    known = None if anchor is None else load_anchored(anchor.folder / ANCHOR_FILE, anchor.public)
    before = None if known is None else {"anchored": known.seq, "hash": known.hash}
    Writing(connection, SYSTEM, at).record(
        "store.restored", "store", before=before, after={"entries": seq}, reason=reason
    )
