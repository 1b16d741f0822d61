"""Assessment: one subject's visits in, measurements and findings out. The flow, in its order.

    prepare (load, normalise, register, muscles) → outline → measure and check → compare → judge

Each step is a function from frozen values to frozen values and lives in the module it is named
after; this file only says what follows what.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from imaging.change import Change, measure_change
from imaging.checks import confidence_check
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
from imaging.preparation import Prepared, prepare
from imaging.protocol import Protocol
from imaging.quality import FAT, MORPHOLOGY, SIGNAL, QualityEntry
from imaging.registration import Registration
from imaging.segmentation.masks import Graft, Muscles, Source
from imaging.timepoint import Timepoint, nadir
from imaging.transform import RigidTransform, identity
from imaging.visit import Subject, Visit, VisitName


@dataclass(frozen=True, slots=True, eq=False)
class Anatomy:
    """Images, outlines and measurements of one visit that has a readable T2W-FS.

    Masks lie on the T2W-FS grid. `registration` is None at baseline and without one.
    `deformation` is that of the wall since baseline. `subvoxel_volume_ml` is the graft's volume
    with its border voxels shared out; `shape` is that of the mask alone.
    """

    images: Images
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


Done = tuple[VisitAssessment, ...]


def assess(subject: Subject, protocol: Protocol, guidance: Guidance | None = None) -> Assessment:
    """Assess one subject.

    Raises
    ------
    UsageError
        The guidance names a visit the subject does not have.
    SeedError, MaskError
        A seed point or mask is not usable.
    """
    guidance = guidance or Guidance()
    _check_guidance(subject, guidance)
    done: Done = ()
    for visit in subject.visits:
        anatomy, trouble = _measured(visit, baseline_of(done), protocol, guidance)
        done = (*done, judge_visit(visit, anatomy, trouble, done, protocol))
    return Assessment(subject.id, protocol, done)


def _check_guidance(subject: Subject, guidance: Guidance) -> None:
    labels = [visit.label for visit in subject.visits]
    for label in sorted(guidance.visits - set(labels)):
        raise UsageError(
            "guidance_visit", subject=subject.id, visit=label, visits=", ".join(labels)
        )


def baseline_of(earlier: Done) -> Anatomy | None:
    """Return the baseline's anatomy, if it was imaged."""
    named = (v.anatomy for v in earlier if v.visit.name is VisitName.BASELINE)
    return next(named, None)


def _measured(
    visit: Visit, baseline: Anatomy | None, protocol: Protocol, guidance: Guidance
) -> tuple[Anatomy | None, tuple[QualityEntry, ...]]:
    """Take one visit from its files to its measurements, and say what stood in the way."""
    prepared, trouble = prepare(visit, baseline.images if baseline else None, protocol)
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
        images=images,
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
    then = WallImage(baseline.images.t2.corrected, baseline.images.wall, baseline.graft.mask)
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
    info = anatomy.images.t2.series.info if anatomy else None
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
