"""Masks: every version of an outline: who made it, when, from which, with what content.

A mask is kept as packed bits (C order of [i, j, k]), compressed, on the grid of its visit's
T2W-FS; the same content is kept once. Its hash covers the bits and the grid. Readers see their
own masks; the machine's only after their lock, unless the paradigm lets them start from it.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
from sqlalchemy import Connection, Row, insert, select

from imaging.geometry import Geometry
from imaging.volume import Mask
from readers import cases, tables
from readers.actor import Actor, Role
from readers.canonical import canonical, loaded
from readers.errors import MaskVersionError, NotFoundError, OrderError
from readers.grids import grid_from_plain, plain_grid
from readers.loading import loaded_read, machine_may_be_seen, own_of_read
from readers.read import ReadStatus
from readers.store import Store, Writing

Structure = Literal["graft", "rectus_left", "rectus_right"]
Source = Literal["automatic", "seeded", "edited"]
COMPRESSION = 6


@dataclass(frozen=True, slots=True)
class MaskVersion:
    """One version of a mask, without its voxels."""

    id: int
    read_id: int | None
    visit: str
    structure: Structure
    source: Source
    parent_id: int | None
    sha256: str
    author: str
    made_at: str


def mask_sha256(mask: Mask) -> str:
    """Return the SHA-256 of a mask's grid and packed bits."""
    grid = canonical(plain_grid(mask.geometry)).encode("utf-8")
    return hashlib.sha256(grid + b"\0" + np.packbits(mask.array).tobytes()).hexdigest()


def decode(packed: bytes, grid: Geometry) -> Mask:
    """Return the mask in compressed packed bits, as a browser sends it, on a known grid.

    Raises
    ------
    MaskVersionError
        Not compressed bits, or not as many as the grid has voxels.
    """
    voxels = int(np.prod(grid.shape))
    wanted = -(-voxels // 8)
    unpacker = zlib.decompressobj()
    try:
        # One byte more than wanted is enough to know: a small message cannot fill the memory.
        bits = unpacker.decompress(packed, wanted + 1)
    except zlib.error as error:
        raise MaskVersionError("mask_damaged") from error
    if len(bits) != wanted or unpacker.unconsumed_tail:
        raise MaskVersionError("mask_size", bytes=len(bits), wanted=wanted, grid=grid.shape)
    array = np.unpackbits(np.frombuffer(bits, dtype=np.uint8), count=voxels)
    return Mask(array.reshape(grid.shape).astype(bool), grid)


def encode(mask: Mask) -> bytes:
    """Return the compressed packed bits of a mask: what `decode` takes."""
    return zlib.compress(np.packbits(mask.array).tobytes(), COMPRESSION)


def keep(
    store: Store,
    actor: Actor,
    read_id: int,
    mask: Mask,
    source: Source,
    *,
    structure: Structure = "graft",
    parent: int | None = None,
) -> MaskVersion:
    """Keep a reader's mask as a new version; the first one of a read has no parent of its own.

    Raises
    ------
    MaskVersionError
        The mask is not on the grid of the visit's T2W-FS that the read is bound to.
    OrderError
        The read is locked.
    NotFoundError
        The parent is no version that this reader may start from.
    """
    actor.require(Role.READER)
    with store.writing(actor) as writing:
        assigned = own_of_read(writing.connection, actor, read_id)
        read = loaded_read(writing.connection, read_id, assigned)
        if read.status is not ReadStatus.DRAFT:
            raise OrderError("read_locked", visit=read.shown_visit)
        version_id = _case_version_of(writing.connection, read_id)
        if parent is not None:
            _may_start_from(writing.connection, actor, read_id, parent)
        made = _Made(version_id, read.visit, structure, source, read_id, parent)
        return _add(writing, made, mask)


def keep_machine(
    store: Store, actor: Actor, case_version_id: int, visit: str, structure: Structure, mask: Mask
) -> MaskVersion:
    """Keep the machine's mask of a registered case version; the same one again is kept once.

    Raises
    ------
    MaskVersionError
        The mask is not on the grid of the visit's T2W-FS.
    """
    actor.require(Role.COORDINATOR, Role.ADMINISTRATOR)
    with store.writing(actor) as writing:
        table, hashed = tables.mask_version, mask_sha256(mask)
        known = writing.execute(
            select(table)
            .where(table.c.case_version_id == case_version_id, table.c.visit == visit)
            .where(table.c.structure == structure, table.c.read_id.is_(None))
            .order_by(table.c.id.desc())
        ).first()
        if known is not None and known.sha256 == hashed:
            return _version(known)
        return _add(writing, _Made(case_version_id, visit, structure, "automatic"), mask)


@dataclass(frozen=True, slots=True)
class _Made:
    """Where a new version belongs and where it comes from."""

    case_version_id: int
    visit: str
    structure: Structure
    source: Source
    read_id: int | None = None
    parent_id: int | None = None


def _add(writing: Writing, made: _Made, mask: Mask) -> MaskVersion:
    grid = cases.load_version(writing.connection, made.case_version_id).visit(made.visit).grid
    if grid is None or not mask.geometry.same_grid(grid):
        image = grid and grid.shape
        raise MaskVersionError("mask_version_grid", mask=mask.geometry.shape, image=image)
    hashed = _kept_content(writing, Mask(mask.array, grid))
    values = {**asdict(made), "sha256": hashed, "author": writing.actor.name, "made_at": writing.at}
    id_ = writing.execute(insert(tables.mask_version).values(**values)).inserted_primary_key[0]
    told = {k: values[k] for k in ("read_id", "structure", "source", "parent_id", "sha256")}
    writing.record("mask.kept", f"mask:{id_}", after=told)
    row = writing.execute(select(tables.mask_version).where(tables.mask_version.c.id == id_)).one()
    return _version(row)


def _kept_content(writing: Writing, mask: Mask) -> str:
    """Keep the voxels unless they are there already; return their hash."""
    table, hashed = tables.mask_content, mask_sha256(mask)
    known = writing.execute(select(table.c.sha256).where(table.c.sha256 == hashed)).first()
    if known is None:
        grid = canonical(plain_grid(mask.geometry))
        writing.execute(insert(table).values(sha256=hashed, grid=grid, packed=encode(mask)))
    return hashed


def _case_version_of(connection: Connection, read_id: int) -> int:
    table = tables.read
    return int(
        connection.execute(
            select(table.c.case_version_id).where(table.c.id == read_id)
        ).scalar_one()
    )


def _may_start_from(connection: Connection, actor: Actor, read_id: int, parent: int) -> None:
    seen = [v.id for v in _visible(connection, actor, read_id)]
    if parent not in seen:
        raise NotFoundError("mask_unknown", mask=parent)


def versions(store: Store, actor: Actor, read_id: int) -> tuple[MaskVersion, ...]:
    """Return the masks that a reader may see with a read, the oldest first.

    The own ones; with them the machine's once the read is locked, or before where the paradigm
    says so.
    """
    with store.reading() as connection:
        return _visible(connection, actor, read_id)


def _visible(connection: Connection, actor: Actor, read_id: int) -> tuple[MaskVersion, ...]:
    assigned = own_of_read(connection, actor, read_id)
    read = loaded_read(connection, read_id, assigned)
    shows_machine = (
        machine_may_be_seen(connection, assigned, read)
        or assigned.paradigm.blinding.machine_outline_before_lock
    )
    table = tables.mask_version
    machine = (
        table.c.read_id.is_(None)
        & (table.c.case_version_id == _case_version_of(connection, read_id))
        & (table.c.visit == read.visit)
    )
    own = table.c.read_id == read_id
    condition = own | machine if shows_machine else own
    rows = connection.execute(select(table).where(condition).order_by(table.c.id)).all()
    return tuple(_version(row) for row in rows)


def load(store: Store, actor: Actor, read_id: int, version_id: int) -> Mask:
    """Return a mask that a reader may see with a read.

    Raises
    ------
    NotFoundError
        There is none, or it may not be seen (yet).
    MaskVersionError
        What the store holds is not what its hash says.
    """
    with store.reading() as connection:
        found = next((v for v in _visible(connection, actor, read_id) if v.id == version_id), None)
        if found is None:
            raise NotFoundError("mask_unknown", mask=version_id)
        return content_of(connection, found.sha256)


def content_of(connection: Connection, hashed: str) -> Mask:
    """Return the mask of a hash; the caller has checked that it may be seen."""
    table = tables.mask_content
    row = connection.execute(select(table).where(table.c.sha256 == hashed)).one()
    mask = decode(row.packed, grid_from_plain(loaded(row.grid)))
    if mask_sha256(mask) != hashed:
        raise MaskVersionError("mask_changed", sha256=hashed[:12])
    return mask


def newest_hashes(connection: Connection, read_id: int) -> dict[str, str]:
    """Return the hash of a read's newest mask of each structure; {} when it has none."""
    table = tables.mask_version
    rows = connection.execute(
        select(table.c.structure, table.c.sha256)
        .where(table.c.read_id == read_id)
        .order_by(table.c.id)
    ).all()
    return {row.structure: row.sha256 for row in rows}


def keep_measured(
    store: Store, actor: Actor, read_id: int, version_id: int, measured: Mapping[str, object]
) -> None:
    """Keep what was measured on a reader's own mask version (`volume_ml` and the like)."""
    with store.writing(actor) as writing:
        own_of_read(writing.connection, actor, read_id)
        row = writing.execute(
            select(tables.mask_version.c.id)
            .where(tables.mask_version.c.id == version_id)
            .where(tables.mask_version.c.read_id == read_id)
        ).first()
        if row is None:
            raise NotFoundError("mask_unknown", mask=version_id)
        values = {"mask_version_id": version_id, "content": canonical(dict(measured))}
        writing.execute(insert(tables.mask_measured).values(**values))
        writing.record("mask.measured", f"mask:{version_id}", after=measured)


def measured(store: Store, actor: Actor, read_id: int, version_id: int) -> dict[str, object] | None:
    """Return what was last measured on an own mask version; None when nothing was."""
    with store.reading() as connection:
        own_of_read(connection, actor, read_id)
        table, version = tables.mask_measured, tables.mask_version
        text = connection.execute(
            select(table.c.content)
            .join(version, version.c.id == table.c.mask_version_id)
            .where(version.c.id == version_id, version.c.read_id == read_id)
            .order_by(table.c.id.desc())
            .limit(1)
        ).scalar()
    return None if text is None else loaded(text)


def _version(row: Row[Any]) -> MaskVersion:
    return MaskVersion(
        row.id, row.read_id, row.visit, row.structure, row.source, row.parent_id,
        row.sha256, row.author, row.made_at,
    )  # fmt: skip
