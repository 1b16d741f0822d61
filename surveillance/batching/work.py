"""Work: the one function that a worker runs, wherever it is: a subject in, its commit out."""

from __future__ import annotations

import resource
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from imaging.assessment import assess
from imaging.errors import ConfigurationError, GraftsiteError, OutputError, TransferError
from imaging.guidance import Guidance
from imaging.messages import text
from imaging.visit import Subject
from surveillance.batching.archive import Archive
from surveillance.batching.looking import look_for
from surveillance.batching.unit import Order, Unit
from surveillance.exports.contract import AssessmentRecord
from surveillance.exports.record import record_of
from surveillance.exports.subject_folder import save_subject
from surveillance.exports.writing import temporary_folder
from surveillance.fingerprint import digest, listing_fingerprint, subject_fingerprint
from surveillance.pacs.node import Instance
from surveillance.results.commit import Commit, latest
from surveillance.results.place import open_place
from surveillance.results.publishing import Cost, publish


class Became(StrEnum):
    """What became of a unit of work."""

    ASSESSED = "assessed"
    UNCHANGED = "unchanged"
    FAILED = "failed"
    SET_ASIDE = "set_aside"


NOBODYS_FAULT = (OutputError, TransferError, ConfigurationError)
"""What stops a batch and blames no subject: the store or an archive, for all of them."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of one subject; `code` and `message` say why it failed.

    `seen` is whether any visit had a T2W-FS to look at.
    """

    site: str
    subject: str
    became: Became
    seen: bool = False
    wall_s: float = 0.0
    code: str = ""
    message: str = ""


def do(unit: Unit, order: Order) -> Answer:
    """Assess a subject and publish its results, unless the store has them already.

    Raises
    ------
    OutputError, TransferError, ConfigurationError
        The store cannot be written; the archive cannot be reached, or not from here: that is no
        fault of the subject's.
    """
    began = _Clock()
    try:
        became, commit = (_pulled if unit.archive else _done)(unit, order, began)
    except NOBODYS_FAULT:
        raise
    except GraftsiteError as error:
        message = str(error) if unit.archive is None else unit.archive.named(str(error))
        return failure(unit, error.code, message)
    except MemoryError:
        return failure(unit, "unit_memory", text("error.unit_memory"))
    except Exception as error:  # noqa: BLE001 - a bug met in one subject must not stop the others
        message = text("error.unit_failed", kind=type(error).__name__)
        return failure(unit, "unit_failed", message)
    return Answer(unit.site, unit.subject, became, commit.seen, began.cost().wall_s)


def failure(unit: Unit, code: str, message: str) -> Answer:
    """Return the answer of a subject that could not be assessed."""
    return Answer(unit.site, unit.subject, Became.FAILED, code=code, message=message)


def _done(unit: Unit, order: Order, began: _Clock) -> tuple[Became, Commit]:
    subject = unit.found or look_for(unit.subject, unit.inputs, order.protocol)
    fingerprint = subject_fingerprint(subject, order.protocol, Guidance())
    before = _committed(unit, order, fingerprint)
    return before or _published(unit, order, subject, fingerprint, began)


def _pulled(unit: Unit, order: Order, began: _Clock) -> tuple[Became, Commit]:
    """Ask the archive what there is, and fetch it only when the store has no results of it."""
    assert unit.archive is not None  # noqa: S101 - else nobody calls this
    before = _committed(unit, order, _fingerprint(unit, order, unit.archive.listed()))
    if before is not None:
        return before
    with unit.archive.pulled() as (folder, images):
        subject = look_for(unit.subject, (folder,), order.protocol)
        return _published(unit, order, subject, _fingerprint(unit, order, images), began)


def _fingerprint(unit: Unit, order: Order, images: Sequence[Instance]) -> str:
    uids = (f"{one.study} {one.sop}" for one in images)
    return listing_fingerprint(unit.subject, uids, order.protocol)


def _key(fingerprint: str, order: Order) -> str:
    return digest([fingerprint, f"reports {order.reports}"]) if order.reports else fingerprint


def _committed(unit: Unit, order: Order, fingerprint: str) -> tuple[Became, Commit] | None:
    _, before = latest(open_place(order.store), unit.site, unit.subject)
    if before is None or before.key != _key(fingerprint, order):
        return None
    return Became.UNCHANGED, before


def _published(
    unit: Unit, order: Order, subject: Subject, fingerprint: str, began: _Clock
) -> tuple[Became, Commit]:
    place, key = open_place(order.store), _key(fingerprint, order)
    with temporary_folder("graftsite-") as results:
        folder = results / "subjects" / subject.id
        record = _saved(unit, order, subject, fingerprint, folder)
        return Became.ASSESSED, publish(place, unit.site, key, folder, record, began.cost())


def _saved(
    unit: Unit, order: Order, subject: Subject, fingerprint: str, folder: Path
) -> AssessmentRecord:
    assessment = assess(subject, order.protocol, Guidance())
    record = record_of(assessment, fingerprint)
    if unit.archive is not None:
        record = _renamed(record, unit.archive)
    save_subject(assessment, record, folder)
    if order.reports is not None:
        # WeasyPrint and its fonts take a second that a run without reports need not wait.
        from surveillance.render.page import Look  # noqa: PLC0415
        from surveillance.reporting import Request, report_subject  # noqa: PLC0415

        look = Look(order.reports)
        request = Request(folder.parents[1], (folder,), order.protocol, look)
        report_subject(record, subject, request)
    return record


def _renamed(record: AssessmentRecord, archive: Archive) -> AssessmentRecord:
    """Return a record that names no temporary folder: it is another one every time."""
    return AssessmentRecord.model_validate_json(archive.named(record.model_dump_json()))


@dataclass(frozen=True, slots=True)
class _Clock:
    """When the work began, by the wall and by the processor."""

    wall_s: float = field(default_factory=time.perf_counter)
    cpu_s: float = field(default_factory=time.process_time)

    def cost(self) -> Cost:
        """Return what was spent since."""
        peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        return Cost(time.perf_counter() - self.wall_s, time.process_time() - self.cpu_s, peak_mb)
