"""Numbers: each number of assessment.json, with its concept, unit and derivation in DICOM."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import reduce

from highdicom.sr import CodedConcept, ContentSequence, Measurement, NumContentItem
from highdicom.sr.enum import RelationshipTypeValues
from pydicom.sr.coding import Code

from surveillance.exports.dicom import concepts as c


@dataclass(frozen=True, slots=True)
class Number:
    """One number.

    Parameters
    ----------
    path
        Where it stands in a visit of assessment.json, dots between names and places in lists.
    derivation
        How it came about.
    interval
        Path of its 95 % interval, None when it has none.
    """

    path: str
    concept: Code
    unit: Code
    derivation: Code
    interval: str | None = None


GRAFT = (
    Number("graft.volume_ml", c.VOLUME, c.ML, c.FROM_MASK, "graft.volume_ci95_ml"),
    Number("graft.voxel_volume_ml", c.VOXEL_VOLUME, c.ML, c.FROM_MASK),
    Number(
        "graft.subvoxel_volume_ml",
        c.SUBVOXEL_VOLUME,
        c.ML,
        c.FROM_SIGNAL,
        "graft.subvoxel_volume_ci95_ml",
    ),
    Number("graft.surface_area_mm2", c.SURFACE, c.MM2, c.FROM_MASK),
    Number("graft.max_diameter_mm", c.MAX_DIAMETER, c.MM, c.FROM_MASK),
    Number("graft.sphericity", c.SPHERICITY, c.ONE, c.FROM_MASK),
    Number("graft.elongation", c.ELONGATION, c.ONE, c.FROM_MASK),
    Number("graft.flatness", c.FLATNESS, c.ONE, c.FROM_MASK),
    *(
        Number(f"graft.centroid_lps_mm.{n}", concept, c.MM, c.MEAN_POSITION)
        for n, concept in enumerate(c.CENTROID)
    ),
    *(
        Number(f"graft.centroid_baseline_lps_mm.{n}", concept, c.MM, c.FROM_REGISTRATION)
        for n, concept in enumerate(c.CENTROID_BASELINE)
    ),
    Number("graft.confidence", c.CONFIDENCE, c.ONE, c.FROM_MASK),
    Number("t2.graft_to_muscle_ratio", c.T2_RATIO, c.RATIO, c.RATIO_OF_MEDIANS, "t2.ratio_ci95"),
    Number("t2.contrast_to_noise", c.CONTRAST_TO_NOISE, c.RATIO, c.FROM_SIGNAL),
    Number("t2.coefficient_of_variation", c.VARIATION, c.RATIO, c.FROM_SIGNAL),
    Number("t2.high_signal_fraction", c.HIGH_FRACTION, c.ONE, c.FROM_SIGNAL),
)
RECTUS_LEFT = (
    Number("muscle.thickness_left_mm", c.THICKNESS, c.MM, c.FROM_MASK),
    Number("muscle.volume_left_ml", c.VOXEL_VOLUME, c.ML, c.FROM_MASK),
    Number("muscle.confidence", c.CONFIDENCE, c.ONE, c.FROM_MASK),
)
RECTUS_RIGHT = (
    Number("muscle.thickness_right_mm", c.THICKNESS, c.MM, c.FROM_MASK),
    Number("muscle.volume_right_ml", c.VOXEL_VOLUME, c.ML, c.FROM_MASK),
    Number("muscle.confidence", c.CONFIDENCE, c.ONE, c.FROM_MASK),
)
T1 = (
    Number("t1.graft_to_muscle_ratio", c.T1_RATIO, c.RATIO, c.RATIO_OF_MEDIANS, "t1.ratio_ci95"),
    Number("t1.fat_suppression_ratio", c.FAT_SUPPRESSION, c.RATIO, c.FROM_SIGNAL),
    Number("t1.minimum_detectable_fat_fraction", c.LEAST_FAT, c.ONE, c.FROM_SIGNAL),
)
REGISTRATION = (
    Number("registration.similarity", c.SIMILARITY, c.ONE, c.FROM_REGISTRATION),
    Number("registration.inverse_consistency_mm", c.INVERSE_CONSISTENCY, c.MM, c.FROM_REGISTRATION),
    Number("deformation.log_jacobian", c.LOG_JACOBIAN, c.ONE, c.FROM_REGISTRATION),
    Number("deformation.displacement_mm", c.WALL_DISPLACEMENT, c.MM, c.FROM_REGISTRATION),
    Number("deformation.inverse_consistency_mm", c.WALL_INVERSE, c.MM, c.FROM_REGISTRATION),
    Number("deformation.landmark_error_mm", c.WALL_LANDMARKS, c.MM, c.FROM_REGISTRATION),
    Number("deformation.folding_fraction", c.WALL_FOLDING, c.ONE, c.FROM_REGISTRATION),
)


def change_numbers(block: str) -> tuple[Number, ...]:
    """Return the numbers of `change` or `change_from_nadir`."""
    rows = (
        ("volume_percent", c.VOLUME_PERCENT, c.PERCENT, c.PERCENT_CHANGE),
        ("volume_repeatability_percent.0", c.REPEATABILITY[0], c.PERCENT, c.FROM_MASK),
        ("volume_repeatability_percent.1", c.REPEATABILITY[1], c.PERCENT, c.FROM_MASK),
        ("volume_ml", c.VOLUME_CHANGE, c.ML, c.DIFFERENCE),
        ("max_diameter_percent", c.DIAMETER_PERCENT, c.PERCENT, c.PERCENT_CHANGE),
        ("doubling_time_days", c.DOUBLING_TIME, c.DAY, c.FROM_GROWTH),
        ("centroid_shift_mm", c.CENTROID_SHIFT, c.MM, c.FROM_REGISTRATION),
        ("dice", c.DICE, c.ONE, c.FROM_REGISTRATION),
        ("hausdorff95_mm", c.HAUSDORFF, c.MM, c.FROM_REGISTRATION),
        ("mean_surface_distance_mm", c.SURFACE_DISTANCE, c.MM, c.FROM_REGISTRATION),
        ("muscle_displacement_mm", c.DISPLACEMENT, c.MM, c.FROM_REGISTRATION),
        ("ratio_percent", c.RATIO_CHANGE, c.PERCENT, c.PERCENT_CHANGE),
    )
    return tuple(Number(f"{block}.{name}", concept, unit, how) for name, concept, unit, how in rows)


def focus_numbers(block: str) -> tuple[Number, ...]:
    """Return the numbers of one focus, `t2.nodules.3` or `t1.foci.0`."""
    ratio = c.T2_RATIO if block.startswith("t2") else c.T1_RATIO
    found = (
        Number(f"{block}.volume_ml", c.VOXEL_VOLUME, c.ML, c.FROM_SIGNAL),
        Number(f"{block}.diameter_mm", c.FOCUS_DIAMETER, c.MM, c.FROM_SIGNAL),
        Number(f"{block}.ratio_to_muscle", ratio, c.RATIO, c.RATIO_OF_MEDIANS),
    )
    return found if block.startswith("t2") else (found[0], found[2])


def value_at(visit: object, path: str) -> object:
    """Return what stands at a path; None where a block on the way is None."""
    return reduce(_step, path.split("."), visit)


def _step(holder: object, name: str) -> object:
    if holder is None:
        return None
    return holder[int(name)] if isinstance(holder, tuple) else getattr(holder, name)


def measurements(visit: object, numbers: Iterable[Number]) -> list[Measurement]:
    """Return a TID 300 measurement for each number that is there."""
    found = ((number, value_at(visit, number.path)) for number in numbers)
    return [_measurement(visit, n, value) for n, value in found if isinstance(value, float | int)]


def _measurement(visit: object, number: Number, value: float) -> Measurement:
    measurement = Measurement(
        number.concept, float(value), number.unit, derivation=number.derivation
    )
    interval = value_at(visit, number.interval) if number.interval else None
    if isinstance(interval, tuple):
        # TID 310, row 5; highdicom would write these without a unit.
        low, high = interval
        content: ContentSequence = measurement[0].ContentSequence
        content.append(_range(c.UPPER_RANGE, high - value, number.unit))
        content.append(_range(c.LOWER_RANGE, value - low, number.unit))
    return measurement


def _range(name: Code, value: float, unit: Code) -> NumContentItem:
    return NumContentItem(
        CodedConcept.from_code(name),
        float(f"{value:.9g}"),  # as many digits as assessment.json has
        unit,
        relationship_type=RelationshipTypeValues.HAS_PROPERTIES,
    )
