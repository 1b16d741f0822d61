"""From an Assessment to the record that is written: names of the contract, nulls with reasons."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from imaging.anatomy import Anatomy
from imaging.assessment import Assessment, VisitAssessment
from imaging.change import Change
from imaging.findings.evidence import Finding
from imaging.findings.foci import Seen, is_new
from imaging.geometry import FloatArray
from imaging.limits import detection_limits
from imaging.measurement import Measurement
from imaging.measurements.foci import Focus
from imaging.messages import text
from imaging.protocol import Protocol
from imaging.quality import QualityEntry
from imaging.series import Series
from imaging.visit import VisitName
from surveillance.exports import contract
from surveillance.exports.collector import Collector
from surveillance.fingerprint import program_version


def record_of(assessment: Assessment, fingerprint: str) -> contract.AssessmentRecord:
    """Return the record of one subject; `fingerprint` says what it was made from."""
    protocol = assessment.protocol
    return contract.AssessmentRecord(
        program_version=program_version(),
        fingerprint=fingerprint,
        subject=assessment.subject,
        protocol=contract.ProtocolBlock(
            id=protocol.id, version=protocol.version, sha256=protocol.sha256
        ),
        visits=tuple(_visit(visit, protocol) for visit in assessment.visits),
    )


def _visit(assessed: VisitAssessment, protocol: Protocol) -> contract.VisitBlock:
    collector = Collector()
    visit, anatomy = assessed.visit, assessed.anatomy
    graft = _graft(assessed, collector)
    muscle = _muscle(anatomy, collector)
    t2, t1 = _t2(assessed, protocol, collector), _t1(anatomy, collector)
    deformation = _deformation(assessed, collector)
    change = _change(assessed.change, "change", collector)
    from_nadir = _change(assessed.change_from_nadir, "change_from_nadir", collector)
    return contract.VisitBlock(
        visit=visit.name.value,
        folder=visit.label,
        study_date=visit.study_date,
        days_since_baseline=visit.days_since_baseline,
        series=contract.SeriesPair(t2w_fs=_series(visit.t2w_fs), t1w_fs=_series(visit.t1w_fs)),
        quality=(*_quality(assessed), *collector.entries()),
        registration=_registration(assessed),
        deformation=deformation,
        findings=_findings(assessed.findings),
        surveillance_flag=contract.FlagBlock(
            level=None if assessed.flag.level is None else assessed.flag.level.value,
            reasons=tuple(reason.sentence for reason in assessed.flag.reasons),
        ),
        graft=graft,
        muscle=muscle,
        t2=t2,
        t1=t1,
        change=change,
        change_from_nadir=from_nadir,
        notes=visit.notes,
        detection_limits=detection_limits(anatomy, protocol) if anatomy else (),
    )


def _series(series: Series | None) -> contract.SeriesBlock | None:
    if series is None:
        return None
    return contract.SeriesBlock(
        series_uid=series.info.uid,
        description=series.info.description,
        role_evidence=series.decision.evidence,
    )


def _quality(assessed: VisitAssessment) -> Iterator[contract.QualityBlock]:
    for entry in assessed.timepoint.quality:
        yield _entry(entry)
    if assessed.anatomy is not None:
        for reason in assessed.anatomy.muscles.reasons:
            yield contract.QualityBlock(code="MUSCLE_OUTLINE", severity="info", message=reason)
        for reason in assessed.anatomy.graft.reasons:
            yield contract.QualityBlock(code="GRAFT_OUTLINE", severity="info", message=reason)


def _entry(entry: QualityEntry) -> contract.QualityBlock:
    return contract.QualityBlock(
        code=entry.code,
        severity=entry.severity.value,
        message=entry.message,
        value=entry.value,
        threshold=entry.threshold,
        protocol_key=entry.protocol_key,
    )


def _registration(assessed: VisitAssessment) -> contract.RegistrationBlock | None:
    registration = assessed.anatomy.registration if assessed.anatomy else None
    if registration is None:
        return None
    matrix = registration.moving_from_fixed.matrix.tolist() if registration.success else None
    return contract.RegistrationBlock(
        success=registration.success,
        similarity=registration.similarity,
        inverse_consistency_mm=registration.inverse_consistency_mm,
        visit_from_baseline=matrix,
    )


def _deformation(
    assessed: VisitAssessment, collector: Collector
) -> contract.DeformationBlock | None:
    registration = assessed.anatomy.registration if assessed.anatomy else None
    if registration is None or not registration.success:
        return None
    found = assessed.timepoint.deformation
    measurements: Mapping[str, Measurement] = {
        "log_jacobian": found.log_jacobian,
        "displacement_mm": found.displacement_mm,
        "inverse_consistency_mm": found.inverse_consistency_mm,
        "landmark_error_mm": found.landmark_error_mm,
        "folding_fraction": found.folding_fraction,
    }
    numbers = {n: collector.number(f"deformation.{n}", m) for n, m in measurements.items()}
    return contract.DeformationBlock(success=found.visit_from_baseline is not None, **numbers)


def _point(point_mm: FloatArray | None) -> tuple[float, float, float] | None:
    if point_mm is None:
        return None
    x, y, z = (float(value) for value in point_mm)
    return x, y, z


def _graft(assessed: VisitAssessment, collector: Collector) -> contract.GraftBlock:
    graft, shape = assessed.timepoint.graft, assessed.timepoint.shape
    to_baseline = assessed.timepoint.baseline_from_visit
    centroid = shape.centroid_mm
    carried = None if centroid is None or to_baseline is None else to_baseline @ centroid
    names = (
        "volume_ml",
        "voxel_volume_ml",
        "max_diameter_mm",
        "surface_area_mm2",
        "sphericity",
        "elongation",
        "flatness",
    )
    numbers = {name: collector.number(f"graft.{name}", getattr(shape, name)) for name in names}
    subvoxel = assessed.anatomy.subvoxel_volume_ml if assessed.anatomy else None
    return contract.GraftBlock(
        present=graft.present if assessed.anatomy else None,
        source=graft.source.value,
        confidence=graft.confidence if assessed.anatomy else None,
        volume_ci95_ml=shape.volume_ml.ci95,
        centroid_lps_mm=_point(centroid),
        centroid_baseline_lps_mm=_point(carried),
        subvoxel_volume_ml=collector.number("graft.subvoxel_volume_ml", subvoxel),
        subvoxel_volume_ci95_ml=subvoxel.ci95 if subvoxel else None,
        **numbers,
    )


def _muscle(anatomy: Anatomy | None, collector: Collector) -> contract.MuscleBlock:
    names = ("thickness_left_mm", "thickness_right_mm", "volume_left_ml", "volume_right_ml")
    muscle = anatomy.muscle if anatomy else None
    numbers = {
        name: collector.number(f"muscle.{name}", getattr(muscle, name, None)) for name in names
    }
    return contract.MuscleBlock(
        confidence=anatomy.muscles.confidence if anatomy else None, **numbers
    )


def _t2(assessed: VisitAssessment, protocol: Protocol, collector: Collector) -> contract.T2Block:
    signal = assessed.timepoint.signal
    if signal is None:
        collector.note("t2", text("reason.no_t2"))
        return contract.T2Block()
    collector.note("t2.pattern", signal.pattern_reason)
    return contract.T2Block(
        graft_to_muscle_ratio=collector.number("t2.graft_to_muscle_ratio", signal.ratio),
        ratio_ci95=signal.told_ratio.ci95,
        contrast_to_noise=collector.number("t2.contrast_to_noise", signal.contrast_to_noise),
        coefficient_of_variation=collector.number(
            "t2.coefficient_of_variation", signal.coefficient_of_variation
        ),
        pattern=None if signal.pattern is None else signal.pattern.value,
        nodules=tuple(_nodule(focus, assessed, protocol) for focus in signal.foci),
        mass_like=signal.mass_like,
        high_signal_fraction=collector.number("t2.high_signal_fraction", signal.high_fraction),
    )


def _nodule(focus: Focus, assessed: VisitAssessment, protocol: Protocol) -> contract.NoduleBlock:
    return contract.NoduleBlock(
        volume_ml=focus.volume_ml,
        diameter_mm=focus.diameter_mm,
        centroid_lps_mm=_point(focus.centroid_mm),
        ratio_to_muscle=focus.ratio,
        new_since_baseline=_new(focus, assessed, protocol),
    )


def _new(focus: Focus, assessed: VisitAssessment, protocol: Protocol) -> bool | None:
    """Whether the focus was not there at baseline; None at baseline and where it is not known."""
    baseline = assessed.change.reference if assessed.change else None
    if baseline is None or baseline.signal is None:
        return None
    return is_new(focus, assessed.timepoint, Seen(baseline, baseline.signal), protocol)


def _t1(anatomy: Anatomy | None, collector: Collector) -> contract.T1Block:
    contrast = anatomy.t1 if anatomy else None
    if contrast is None or contrast.fat is None:
        collector.note("t1", text("record.no_t1"))
        epsilon = contrast.epsilon if contrast else None
        return contract.T1Block(
            fat_suppression_ratio=collector.number("t1.fat_suppression_ratio", epsilon)
        )
    fat = contrast.fat
    collector.note("t1.isointense", fat.isointense_reason)
    return contract.T1Block(
        graft_to_muscle_ratio=collector.number("t1.graft_to_muscle_ratio", fat.ratio),
        ratio_ci95=fat.told_ratio.ci95,
        isointense=fat.isointense,
        fat=None if fat.answer is None else fat.answer.value,
        fat_suppression_ratio=collector.number("t1.fat_suppression_ratio", fat.suppression_ratio),
        minimum_detectable_fat_fraction=collector.number(
            "t1.minimum_detectable_fat_fraction", fat.minimum_detectable_fraction
        ),
        foci=tuple(
            contract.FocusBlock(
                volume_ml=focus.volume_ml,
                ratio_to_muscle=focus.ratio,
                centroid_lps_mm=_point(focus.centroid_mm),
            )
            for focus in fat.foci
        ),
    )


def _change(change: Change | None, block: str, collector: Collector) -> contract.ChangeBlock | None:
    if change is None:
        return None
    measurements: Mapping[str, Measurement] = {
        "volume_percent": change.size.volume_percent,
        "volume_ml": change.size.volume_ml,
        "max_diameter_percent": change.size.diameter_percent,
        "doubling_time_days": change.size.doubling_time_days,
        "centroid_shift_mm": change.place.centroid_shift_mm,
        "dice": change.place.dice,
        "hausdorff95_mm": change.place.hausdorff95_mm,
        "mean_surface_distance_mm": change.place.mean_surface_distance_mm,
        "muscle_displacement_mm": change.muscle.displacement_mm,
        "ratio_percent": change.ratio_percent,
    }
    numbers = {name: collector.number(f"{block}.{name}", m) for name, m in measurements.items()}
    reference = change.reference
    return contract.ChangeBlock(
        reference="baseline" if reference.name is VisitName.BASELINE else reference.label,
        volume_repeatability_percent=change.size.volume_repeatability_percent,
        **numbers,
    )


def _findings(findings: Mapping[str, Finding]) -> contract.FindingsBlock:
    return contract.FindingsBlock(
        **{name: _finding(finding.status.value, finding) for name, finding in findings.items()}
    )


def _finding(status: contract.Status, finding: Finding) -> contract.FindingBlock:
    return contract.FindingBlock(
        status=status, reasons=tuple(_sentences(r.sentence for r in finding.reasons))
    )


def _sentences(sentences: Iterable[str]) -> Iterator[str]:
    """Yield each sentence once, in order."""
    yield from dict.fromkeys(sentences)
