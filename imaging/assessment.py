"""Assessment: one subject's visits in, measurements and findings out. The flow, in its order.

    prepare (load, normalise, register, muscles) → outline → measure and check → compare → judge

Each step is a function from frozen values to frozen values and lives in the module it is named
after; this file only says what follows what.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import TypeAlias

from imaging.anatomy import Anatomy, measure_visit
from imaging.change import Change, measure_change
from imaging.concurrency import at_a_time
from imaging.deformation import unknown
from imaging.errors import UsageError
from imaging.findings.evidence import Finding
from imaging.findings.fat import judge_fat
from imaging.findings.morphology import judge_morphology
from imaging.findings.signal import judge_signal
from imaging.findings.surveillance import SurveillanceFlag, surveillance_flag
from imaging.guidance import Guidance
from imaging.limits import detection_limits
from imaging.measurement import Measurement, measured, missing
from imaging.measurements.shape import no_shape
from imaging.messages import text
from imaging.outlines import Earlier, outline_graft, wrong_side
from imaging.preparation import Preparation, baseline_index, prepare_visits
from imaging.protocol import Protocol
from imaging.quality import FAT, MORPHOLOGY, SIGNAL, QualityEntry
from imaging.segmentation.masks import Graft, Source
from imaging.timepoint import Timepoint, nadir
from imaging.transform import RigidTransform, identity
from imaging.visit import Subject, Visit, VisitName


@dataclass(frozen=True, slots=True, eq=False)
class VisitAssessment:
    """Everything about one visit; `anatomy` is None without a readable T2W-FS."""

    visit: Visit
    anatomy: Anatomy | None
    timepoint: Timepoint
    change: Change | None
    change_from_nadir: Change | None
    findings: Mapping[str, Finding]
    flag: SurveillanceFlag


@dataclass(frozen=True, slots=True, eq=False)
class Assessment:
    """All visits of one subject, in order of time, and the protocol that judged them."""

    subject: str
    protocol: Protocol
    visits: tuple[VisitAssessment, ...]


Done: TypeAlias = tuple[VisitAssessment, ...]
Measured: TypeAlias = tuple[Anatomy | None, tuple[QualityEntry, ...]]
"""One visit; None without a readable T2W-FS, and what stood in the way."""


def assess(
    subject: Subject, protocol: Protocol, guidance: Guidance | None = None, threads: int = 1
) -> Assessment:
    """Assess one subject.

    Raises
    ------
    UsageError
        The guidance names a visit the subject does not have.
    SeedError, MaskError
        A seed point or mask is not usable.
    """
    with at_a_time(threads) as pool:
        return assess_prepared(
            subject,
            prepare_visits(subject.visits, protocol, pool),
            protocol,
            pool,
            guidance or Guidance(),
        )


def assess_prepared(
    subject: Subject,
    prepared: Iterable[Future[Preparation]],
    protocol: Protocol,
    pool: Executor,
    guidance: Guidance,
) -> Assessment:
    """Assess a subject whose visits `prepare_visits` prepares; raises what `assess` does."""
    _check_guidance(subject, guidance)
    tasks = (
        partial(_measured, visit, ready, protocol, guidance)
        for visit, ready in zip(subject.visits, prepared, strict=True)
    )
    return judged(subject.id, subject.visits, tasks, protocol, pool)


def judged(
    subject: str,
    visits: Sequence[Visit],
    tasks: Iterable[Callable[[Anatomy | None], Measured]],
    protocol: Protocol,
    pool: Executor,
) -> Assessment:
    """Let visits be measured, and judge them, in order of time, each by those before it.

    There is a task a visit; one after the baseline is given the baseline's anatomy.
    """
    measured: list[Future[Measured]] = []
    first = baseline_index(visits)
    for n, task in enumerate(tasks):
        baseline = None if first is None or n <= first else measured[first]
        measured.append(pool.submit(_after, baseline, task))
    done: Done = ()
    for visit, each in zip(visits, measured, strict=True):
        anatomy, trouble = each.result()
        done = (*done, judge_visit(visit, anatomy, trouble, done, protocol))
    return Assessment(subject, protocol, done)


def _after(
    baseline: Future[Measured] | None, task: Callable[[Anatomy | None], Measured]
) -> Measured:
    return task(None if baseline is None else baseline.result()[0])


def _check_guidance(subject: Subject, guidance: Guidance) -> None:
    labels = [visit.label for visit in subject.visits]
    for label in sorted(guidance.visits - set(labels)):
        raise UsageError(
            "guidance_visit", subject=subject.id, visit=label, visits=", ".join(labels)
        )


def _measured(
    visit: Visit,
    ready: Future[Preparation],
    protocol: Protocol,
    guidance: Guidance,
    baseline: Anatomy | None,
) -> Measured:
    """Take one visit from its images to its measurements, and say what stood in the way."""
    prepared, trouble = ready.result()
    if prepared is None:
        return None, trouble
    registration = prepared.registration
    earlier = Earlier(baseline.graft, registration) if baseline and registration else None
    graft = outline_graft(
        visit.label, prepared.images, prepared.muscles, earlier, guidance, protocol
    )
    stops = wrong_side(graft, prepared.muscles, prepared.compared)
    anatomy = measure_visit(visit, prepared, graft, stops, baseline, protocol)
    return anatomy, anatomy.quality


def judge_visit(
    visit: Visit,
    anatomy: Anatomy | None,
    quality: tuple[QualityEntry, ...],
    earlier: Done,
    protocol: Protocol,
) -> VisitAssessment:
    """Compare a visit with baseline and nadir, and answer the three endpoints."""
    now = _timepoint(visit, anatomy, quality)
    before = tuple(v.timepoint for v in earlier)
    first = next((t for t in before if t.name is VisitName.BASELINE and t.muscle), None)
    least = nadir(before, protocol.quality.confidence_min) or first
    change = None if first is None else measure_change(now, first)
    from_nadir = None if first is None or least is None else measure_change(now, least)
    references = tuple(t for t in (first, least) if first is not None and t is not None)
    t1 = anatomy.t1 if anatomy else None
    findings = {
        MORPHOLOGY: judge_morphology(now, change, from_nadir, protocol),
        SIGNAL: judge_signal(now, before, references, protocol),
        FAT: judge_fat(now, t1.fat if t1 else None, t1.fat_uncorrected if t1 else None, protocol),
    }
    limits = detection_limits(anatomy, protocol) if anatomy else ()
    flag = surveillance_flag(
        now, tuple(findings.values()), from_nadir, protocol.surveillance, limits
    )
    return VisitAssessment(
        visit, anatomy, now, change, from_nadir, MappingProxyType(findings), flag
    )


def _timepoint(
    visit: Visit, anatomy: Anatomy | None, quality: tuple[QualityEntry, ...]
) -> Timepoint:
    unread = missing(quality[0].message if quality else text("reason.no_t2"))
    info = anatomy.info if anatomy else None
    return Timepoint(
        name=visit.name,
        label=visit.label,
        days=visit.days_since_baseline,
        graft=anatomy.graft if anatomy else Graft(None, Source.AUTOMATIC, 0.0),
        shape=anatomy.shape if anatomy else no_shape(unread),
        muscle=anatomy.muscle if anatomy else None,
        signal=anatomy.t2.signal if anatomy else None,
        signal_uncorrected=anatomy.t2.signal_uncorrected if anatomy else None,
        baseline_from_visit=_baseline_from_visit(visit, anatomy),
        registration_error_mm=_registration_error(visit, anatomy),
        deformation=anatomy.deformation if anatomy else unknown(unread.reason or ""),
        quality=quality,
        manufacturer=info.manufacturer if info else None,
        field_strength_t=info.field_strength_t if info else None,
    )


def _baseline_from_visit(visit: Visit, anatomy: Anatomy | None) -> RigidTransform | None:
    if anatomy is not None and visit.name is VisitName.BASELINE:
        return identity()
    registration = anatomy.registration if anatomy else None
    if registration is None or not registration.success:
        return None
    return registration.moving_from_fixed.inverse


def _registration_error(visit: Visit, anatomy: Anatomy | None) -> Measurement:
    if anatomy is not None and visit.name is VisitName.BASELINE:
        return measured(0.0)
    registration = anatomy.registration if anatomy else None
    error = registration.inverse_consistency_mm if registration else None
    if registration is None or error is None or not registration.success:
        return missing(text("reason.not_registered", visit=visit.label))
    return measured(error)
