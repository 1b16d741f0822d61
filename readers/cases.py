"""Cases: what the store must know of a subject to have it read, from plain values.

A case is registered again when its subject was assessed again: that is a new version, and reads
stay bound to the version they were opened on. Arm and dose lie in a table of their own that no
function for readers or adjudicators looks at; so do the machine's results.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, get_args

from sqlalchemy import Connection, Row, insert, select

from imaging.geometry import Geometry
from imaging.protocol import Protocol
from imaging.visit import VisitName
from readers import tables
from readers.actor import Actor, Role
from readers.canonical import canonical, is_sha256, loaded, sha256
from readers.errors import CaseError, NotFoundError
from readers.grids import grid_from_plain, plain_grid
from readers.marks import Series
from readers.store import Store

NAME_CHARS_MAX = 64


@dataclass(frozen=True, slots=True, eq=False)
class CaseVisit:
    """One visit to be read.

    Parameters
    ----------
    label
        Unique within the case (`BASELINE`, `M3`, `UNSCHEDULED-2`).
    early
        The protocol's early days are not over (`is_early`).
    images
        Role (t2w_fs, t1w_fs, t1w, dixon) to the SHA-256 of the image version; at least one.
    grid
        Of T2W-FS, on which masks lie; None without that image.
    """

    label: str
    baseline: bool
    days: int | None
    early: bool
    images: Mapping[str, str]
    grid: Geometry | None = None


@dataclass(frozen=True, slots=True, eq=False)
class CaseVersion:
    """One registered state of a case, its visits in order of time."""

    id: int
    case_id: str
    version: int
    visits: tuple[CaseVisit, ...]
    sha256: str

    def visit(self, label: str) -> CaseVisit:
        """Return one visit.

        Raises
        ------
        NotFoundError
            The case has no such visit.
        """
        found = next((v for v in self.visits if v.label == label), None)
        if found is None:
            raise NotFoundError("visit_unknown", visit=label[:NAME_CHARS_MAX])
        return found


def has_changed(visit: str, then: CaseVersion, now: CaseVersion) -> bool:
    """Whether a visit's images are others in a newer version; a visit added later changes none."""
    return dict(then.visit(visit).images) != dict(now.visit(visit).images)


def is_early(name: VisitName, days: int | None, protocol: Protocol) -> bool:
    """Whether the injectate may still be resorbing, as the machine's signal endpoint has it."""
    if days is not None:
        return days <= protocol.signal.early_days_max
    return name in (VisitName.D28, VisitName.UNSCHEDULED)


def register(
    store: Store,
    actor: Actor,
    case_id: str,
    visits: Sequence[CaseVisit],
    machine: Mapping[str, Mapping[str, object]] | None = None,
) -> CaseVersion:
    """Register a case, or a new version of it; the same content again gives the same version.

    Parameters
    ----------
    machine
        Visit label to the machine's result as JSON values: `endpoints` (name to status), `sizes`
        (a numeric question of the form to its value, None where there is none), and whatever
        else the page shows after the lock. Visits may be missing.

    Raises
    ------
    CaseError
        The content contradicts itself.
    """
    actor.require(Role.COORDINATOR, Role.ADMINISTRATOR)
    machine = machine or {}
    _check(case_id, visits, machine)
    content = {"visits": [_plain(visit) for visit in visits]}
    hashed = sha256({**content, "machine": {k: dict(v) for k, v in machine.items()}})
    with store.writing(actor) as writing:
        last = _newest(writing.connection, case_id)
        if last is not None and last.sha256 == hashed:
            return _version(last)
        _refuse_dropped(writing.connection, case_id, {visit.label for visit in visits})
        values = {
            "case_id": case_id,
            "version": 1 if last is None else last.version + 1,
            "content": canonical(content),
            "sha256": hashed,
            "registered_at": writing.at,
        }
        added = writing.execute(insert(tables.case_version).values(**values))
        id_ = added.inserted_primary_key[0]
        for visit, result in sorted(machine.items()):
            row = {"case_version_id": id_, "visit": visit, "content": canonical(dict(result))}
            writing.execute(insert(tables.machine_result).values(**row))
        told = {"version": values["version"], "sha256": hashed}
        writing.record("case.registered", f"case:{case_id}", after=told)
        return load_version(writing.connection, id_)


def _check(
    case_id: str, visits: Sequence[CaseVisit], machine: Mapping[str, Mapping[str, object]]
) -> None:
    labels = [visit.label for visit in visits]
    named = all(0 < len(name) <= NAME_CHARS_MAX and name.isprintable() for name in labels)
    if not 0 < len(case_id) <= NAME_CHARS_MAX or not case_id.isprintable() or not named:
        raise CaseError("case_name", most=NAME_CHARS_MAX)
    if not labels or len(set(labels)) != len(labels):
        raise CaseError("case_visits", case=case_id)
    if any(visit.baseline for visit in visits[1:]):
        raise CaseError("case_baseline", case=case_id)
    if not set(machine) <= set(labels):
        raise CaseError("case_machine", case=case_id)
    for visit in visits:
        sound = visit.images and set(visit.images) <= set(get_args(Series))
        if not sound or not all(is_sha256(h) for h in visit.images.values()):
            raise CaseError("case_images", case=case_id, visit=visit.label)
        if (visit.grid is None) != ("t2w_fs" not in visit.images):
            raise CaseError("case_grid", case=case_id, visit=visit.label)


def _refuse_dropped(connection: Connection, case_id: str, labels: set[str]) -> None:
    read, assignment = tables.read, tables.assignment
    opened = connection.execute(
        select(read.c.visit)
        .join(assignment, assignment.c.id == read.c.assignment_id)
        .where(assignment.c.case_id == case_id)
    ).scalars()
    dropped = sorted(set(opened) - labels)
    if dropped:
        raise CaseError("case_visit_dropped", case=case_id, visits=", ".join(dropped))


def set_allocation(store: Store, actor: Actor, case_id: str, arm: str, dose: str) -> None:
    """Note a case's arm and dose, or correct them; readers and adjudicators never see them."""
    actor.require(Role.COORDINATOR, Role.ADMINISTRATOR)
    if max(len(arm), len(dose)) > NAME_CHARS_MAX or not (arm + dose).isprintable():
        raise CaseError("case_allocation", most=NAME_CHARS_MAX)
    with store.writing(actor) as writing:
        newest(writing.connection, case_id)
        before = _allocation(writing.connection, case_id)
        after = {"arm": arm, "dose": dose}
        writing.execute(insert(tables.allocation).values(case_id=case_id, **after))
        writing.record("case.allocated", f"case:{case_id}", before=before, after=after)


def allocation(store: Store, actor: Actor, case_id: str) -> dict[str, str] | None:
    """Return a case's arm and dose; None when not noted."""
    actor.require(Role.COORDINATOR, Role.ADMINISTRATOR)
    with store.reading() as connection:
        return _allocation(connection, case_id)


def _allocation(connection: Connection, case_id: str) -> dict[str, str] | None:
    table = tables.allocation
    row = connection.execute(
        select(table).where(table.c.case_id == case_id).order_by(table.c.id.desc()).limit(1)
    ).first()
    return None if row is None else {"arm": row.arm, "dose": row.dose}


def every(store: Store, actor: Actor) -> tuple[CaseVersion, ...]:
    """Return the newest version of each case, by case id."""
    actor.require(Role.COORDINATOR, Role.ADMINISTRATOR)
    with store.reading() as connection:
        known = connection.execute(select(tables.case_version.c.case_id).distinct()).scalars()
        return tuple(version for _, version in sorted(newest_of(connection, set(known)).items()))


def newest_of(connection: Connection, case_ids: Collection[str]) -> dict[str, CaseVersion]:
    """Return the newest version of each of these cases."""
    table = tables.case_version
    query = select(table).where(table.c.case_id.in_(case_ids)).order_by(table.c.version)
    rows = {row.case_id: row for row in connection.execute(query).all()}
    return {case_id: _version(row) for case_id, row in rows.items()}


def newest(connection: Connection, case_id: str) -> CaseVersion:
    """Return the newest version of a case.

    Raises
    ------
    NotFoundError
        No such case is registered.
    """
    row = _newest(connection, case_id)
    if row is None:
        raise NotFoundError("case_unknown", case=case_id[:NAME_CHARS_MAX])
    return _version(row)


def _newest(connection: Connection, case_id: str) -> Row[Any] | None:
    table = tables.case_version
    return connection.execute(
        select(table).where(table.c.case_id == case_id).order_by(table.c.version.desc()).limit(1)
    ).first()


def load_version(connection: Connection, id_: int) -> CaseVersion:
    """Return a version that is known to be there."""
    return load_versions(connection, [id_])[id_]


def load_versions(connection: Connection, ids: Collection[int]) -> dict[int, CaseVersion]:
    """Return versions that are known to be there, by their number."""
    table = tables.case_version
    rows = connection.execute(select(table).where(table.c.id.in_(ids))).all()
    return {row.id: _version(row) for row in rows}


def machine_result(
    connection: Connection, case_version_id: int, visit: str
) -> dict[str, object] | None:
    """Return the machine's result for a visit; only callers that checked blinding may ask."""
    table = tables.machine_result
    text = connection.execute(
        select(table.c.content)
        .where(table.c.case_version_id == case_version_id)
        .where(table.c.visit == visit)
    ).scalar()
    return None if text is None else loaded(text)


def _plain(visit: CaseVisit) -> dict[str, object]:
    return {
        "label": visit.label,
        "baseline": visit.baseline,
        "days": visit.days,
        "early": visit.early,
        "images": dict(visit.images),
        "grid": None if visit.grid is None else plain_grid(visit.grid),
    }


def _version(row: Row[Any]) -> CaseVersion:
    content: Any = loaded(row.content)
    visits = tuple(
        CaseVisit(
            **{
                **visit,
                "images": MappingProxyType(visit["images"]),
                "grid": visit["grid"] and grid_from_plain(visit["grid"]),
            }
        )
        for visit in content["visits"]
    )
    return CaseVersion(row.id, row.case_id, row.version, visits, row.sha256)
