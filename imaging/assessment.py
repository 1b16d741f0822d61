"""Assessment: one subject's visits in, measurements and findings out. The flow, in its order.

    prepare (load, normalise, register, muscles) → outline → measure and check → compare → judge

Each step is a function from frozen values to frozen values and lives in the module it is named
after; this file only says what follows what.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeAlias

from imaging.change import Change, measure_change
from imaging.checks import confidence_check
from imaging.concurrency import at_a_time
from imaging.contrasts import T1Contrast, T2Contrast, measure_t1_contrast, measure_t2_contrast
from imaging.deformation import WallDeformation, WallImage, deform_wall, unknown
from imaging.errors import UsageError
from imaging.findings.evidence import Finding
from imaging.findings.fat import judge_fat
from imaging.findings.morphology import judge_morphology
from imaging.findings.signal import judge_signal
from imaging.findings.surveillance import SurveillanceFlag, surveillance_flag
from imaging.guidance import Guidance
from imaging.images import Images
from imaging.limits import detection_limits
from imaging.measurement import Measurement, measured, missing
from imaging.measurements.muscle import MuscleSize, measure_muscle
from imaging.measurements.partial_volume import subvoxel_volume
from imaging.measurements.shape import Shape, measure_shape, no_shape
from imaging.messages import text
from imaging.outlines import Earlier, outline_graft, withheld, wrong_side
from imaging.preparation import Preparation, Prepared, baseline_index, prepare_visits
from imaging.protocol import Protocol
from imaging.quality import FAT, MORPHOLOGY, SIGNAL, QualityEntry
from imaging.registration import Registration
from imaging.segmentation.masks import Graft, Muscles, Source
from imaging.series import SeriesInfo
from imaging.timepoint import Timepoint, nadir
from imaging.transform import RigidTransform, identity
from imaging.visit import Subject, Visit, VisitName
from imaging.volume import Mask, Volume


@dataclass(frozen=True, slots=True, eq=False)
class Anatomy:
    """Outlines and measurements of one visit that has a readable T2W-FS.

    `t2w_fs` is that image without the coil's shading and `info` its headers; masks lie on its
    grid, the anterior `wall` too. The other images are let go when they have been measured: a
    subject's memory does not grow with all that was acquired. `registration` is None at
    baseline and without one. `deformation` is that of the wall since baseline. `subvoxel_volume_ml`
    is the graft's volume with its border voxels shared out; `shape` is that of the mask alone.
    """

    t2w_fs: Volume
    info: SeriesInfo
    wall: Mask
    muscles: Muscles
    graft: Graft
    registration: Registration | None
    deformation: WallDeformation
    shape: Shape
    subvoxel_volume_ml: Measurement
    muscle: MuscleSize
    t2: T2Contrast
    t1: T1Contrast | None
    quality: tuple[QualityEntry, ...]


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
    measured: list[Future[Measured]] = []
    first = baseline_index(subject.visits)
    for n, (visit, ready) in enumerate(zip(subject.visits, prepared, strict=True)):
        baseline = None if first is None or n <= first else measured[first]
        measured.append(pool.submit(_measured, visit, ready, baseline, protocol, guidance))
    return judged(subject.id, subject.visits, [each.result() for each in measured], protocol)


def judged(
    subject: str, visits: Sequence[Visit], measured: Sequence[Measured], protocol: Protocol
) -> Assessment:
    """Judge measured visits, in order of time, each by those before it."""
    done: Done = ()
    for visit, (anatomy, trouble) in zip(visits, measured, strict=True):
        done = (*done, judge_visit(visit, anatomy, trouble, done, protocol))
    return Assessment(subject, protocol, done)


def _check_guidance(subject: Subject, guidance: Guidance) -> None:
    labels = [visit.label for visit in subject.visits]
    for label in sorted(guidance.visits - set(labels)):
        raise UsageError(
            "guidance_visit", subject=subject.id, visit=label, visits=", ".join(labels)
        )


def _measured(
    visit: Visit,
    ready: Future[Preparation],
    before: Future[Measured] | None,
    protocol: Protocol,
    guidance: Guidance,
) -> Measured:
    """Take one visit from its images to its measurements, and say what stood in the way."""
    prepared, trouble = ready.result()
    if prepared is None:
        return None, trouble
    baseline = None if before is None else before.result()[0]
    registration = prepared.registration
    earlier = Earlier(baseline.graft, registration) if baseline and registration else None
    graft = outline_graft(
        visit.label, prepared.images, prepared.muscles, earlier, guidance, protocol
    )
    stops = wrong_side(graft, prepared.muscles, prepared.compared)
    anatomy = measure_visit(visit, prepared, graft, stops, baseline, protocol)
    return anatomy, anatomy.quality


def measure_visit(
    visit: Visit,
    prepared: Prepared,
    graft: Graft,
    stops: tuple[QualityEntry, ...],
    baseline: Anatomy | None,
    protocol: Protocol,
) -> Anatomy:
    """Measure an outlined visit; with `stops`, the hard stops, no outline is let through.

    `baseline` is None for the baseline itself, and where it was not imaged.
    """
    images, muscles = prepared.images, prepared.muscles
    if stops:
        muscles, graft = withheld(muscles, graft, stops[0].message)
    t2 = measure_t2_contrast(images, muscles, graft, protocol)
    t1 = measure_t1_contrast(visit, images, muscles, graft, protocol)
    return Anatomy(
        t2w_fs=images.t2.corrected,
        info=images.t2.series.info,
        wall=images.wall,
        muscles=muscles,
        graft=graft,
        registration=prepared.registration,
        deformation=_deformation(images, graft, prepared.registration, baseline, protocol),
        shape=_shape(graft, protocol),
        subvoxel_volume_ml=_subvoxel(images, graft, protocol),
        muscle=measure_muscle(muscles, graft),
        t2=t2,
        t1=t1,
        quality=(
            *prepared.trouble,
            *stops,
            *confidence_check(graft, protocol),
            *(entry for entry in prepared.compared if entry not in stops),
            *t2.quality,
            *(t1.quality if t1 else ()),
        ),
    )


def _deformation(
    images: Images,
    graft: Graft,
    registration: Registration | None,
    baseline: Anatomy | None,
    protocol: Protocol,
) -> WallDeformation:
    if baseline is None or registration is None:
        return unknown(text("reason.no_baseline"))
    if not registration.success:
        return unknown(registration.reason or "")
    then = WallImage(baseline.t2w_fs, baseline.wall, baseline.graft.mask)
    now = WallImage(images.t2.corrected, images.wall, graft.mask)
    return deform_wall(then, now, registration.moving_from_fixed, protocol)


def _shape(graft: Graft, protocol: Protocol) -> Shape:
    if graft.mask is None:
        return no_shape(_unseen(graft))
    return measure_shape(graft.mask, protocol.morphology)


def _subvoxel(images: Images, graft: Graft, protocol: Protocol) -> Measurement:
    if graft.mask is None:
        return _unseen(graft)
    return subvoxel_volume(images.t2.corrected, graft.mask, protocol.morphology)


def _unseen(graft: Graft) -> Measurement:
    return missing(" ".join(graft.reasons) or text("reason.empty_mask"))


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
    limits = detection_limits(anatomy.t2, t1, protocol) if anatomy else ()
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
