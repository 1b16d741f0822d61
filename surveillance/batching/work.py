"""Work: the one function that a worker runs, wherever it is: a subject in, its commit out."""

from __future__ import annotations

import resource
import time
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from tempfile import TemporaryDirectory

from imaging.assessment import assess
from imaging.errors import GraftsiteError, OutputError, SubjectError
from imaging.guidance import Guidance
from imaging.loaders import find_series
from imaging.messages import text
from imaging.protocol import Protocol
from imaging.visit import Subject
from imaging.visits import arrange
from surveillance.batching.unit import Order, Unit
from surveillance.exports.contract import AssessmentRecord
from surveillance.exports.record import record_of
from surveillance.exports.subject_folder import save_subject
from surveillance.fingerprint import digest, subject_fingerprint
from surveillance.results.commit import Commit, latest
from surveillance.results.place import open_place
from surveillance.results.publishing import Cost, publish


class Became(StrEnum):
    """What became of a unit of work."""

    ASSESSED = "assessed"
    UNCHANGED = "unchanged"
    FAILED = "failed"
    SET_ASIDE = "set_aside"


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
    OutputError
        The store cannot be written: that is no fault of the subject's.
    """
    began = _Clock()
    try:
        became, commit = _done(unit, order, began)
    except OutputError:
        raise
    except GraftsiteError as error:
        return failure(unit, error.code, str(error))
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
    place, protocol = open_place(order.store), order.protocol
    subject = unit.found or _looked_for(unit, protocol)
    fingerprint = subject_fingerprint(subject, protocol, Guidance())
    key = digest([fingerprint, f"reports {order.reports}"]) if order.reports else fingerprint
    _, before = latest(place, unit.site, unit.subject)
    if before is not None and before.key == key:
        return Became.UNCHANGED, before
    with TemporaryDirectory(prefix="graftsite-") as results:
        folder = Path(results) / "subjects" / subject.id
        record = _saved(subject, order, fingerprint, folder)
        return Became.ASSESSED, publish(place, unit.site, key, folder, record, began.cost())


def _saved(subject: Subject, order: Order, fingerprint: str, folder: Path) -> AssessmentRecord:
    assessment = assess(subject, order.protocol, Guidance())
    record = record_of(assessment, fingerprint)
    save_subject(assessment, record, folder)
    if order.reports is not None:
        # WeasyPrint and its fonts take a second that a run without reports need not wait.
        from surveillance.render.page import Look  # noqa: PLC0415
        from surveillance.reporting import Request, report_subject  # noqa: PLC0415

        look = Look(order.reports)
        request = Request(folder.parents[1], (folder,), order.protocol, look)
        report_subject(record, subject, request)
    return record


def _looked_for(unit: Unit, protocol: Protocol) -> Subject:
    """Find the one subject in the places that a manifest names, and give it the manifest's name."""
    for path in unit.inputs:
        if not path.exists():
            raise SubjectError("manifest_path", subject=unit.subject, path=path)
    inventory = find_series(unit.inputs, protocol)
    arrangement = arrange(inventory.series, protocol)
    refusals = (*arrangement.refusals, *inventory.refusals)
    if not arrangement.subjects:
        why = refusals[0].message if refusals else text("pacs.nothing_found")
        raise SubjectError("manifest_nobody", subject=unit.subject, detail=why)
    if len(arrangement.subjects) > 1:
        count = len(arrangement.subjects)
        raise SubjectError("manifest_people", subject=unit.subject, count=count)
    (subject,) = arrangement.subjects
    if subject.id != unit.subject and _states_its_name(subject):
        raise SubjectError("manifest_other", subject=unit.subject, found=subject.id)
    return replace(subject, id=unit.subject)


def _states_its_name(subject: Subject) -> bool:
    """Whether the images carry the trial's own subject ID, and not only a hospital's number."""
    series = (s for v in subject.visits for s in (v.t2w_fs, v.t1w_fs, *v.supporting) if s)
    people = {one.info.identity for one in series}
    return any(who.patient is not None and who.subject != who.patient for who in people)


@dataclass(frozen=True, slots=True)
class _Clock:
    """When the work began, by the wall and by the processor."""

    wall_s: float = field(default_factory=time.perf_counter)
    cpu_s: float = field(default_factory=time.process_time)

    def cost(self) -> Cost:
        """Return what was spent since."""
        peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        return Cost(time.perf_counter() - self.wall_s, time.process_time() - self.cpu_s, peak_mb)
