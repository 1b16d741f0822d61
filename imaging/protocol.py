"""Protocol: a trial's thresholds, loaded from TOML; no clinical number lives in code.

Each entry of the file is `{ value, unit, source, rationale }`. The sections below name every
key that exists; a file with an unknown, missing or ill-typed key is refused whole.
"""

from __future__ import annotations

import hashlib
import tomllib
from importlib.resources import files
from pathlib import Path

from pydantic import ValidationError

from imaging.errors import ProtocolError
from imaging.segmentation_limits import SegmentationLimits
from imaging.threshold import Count, Fraction, Positive, Section, values_of


class VisitWindows(Section):
    """When each scheduled visit is due, in days since baseline."""

    session_days_max: Count
    d28_day: Count
    d28_window_days: Count
    m3_day: Count
    m3_window_days: Count
    m6_day: Count
    m6_window_days: Count
    m12_day: Count
    m12_window_days: Count


class SeriesLimits(Section):
    """How regular a stack must be, and the acquisition values that tell weightings apart."""

    slices_min: Count
    position_tolerance_mm: Positive
    gap_tolerance_fraction: Fraction
    tilt_max_deg: Positive
    orientation_tolerance: Positive
    t2_echo_min_ms: Positive
    t2_repetition_min_ms: Positive
    t1_echo_max_ms: Positive
    t1_repetition_max_ms: Positive
    gradient_echo_max_ms: Positive
    gradient_flip_min_deg: Positive
    balanced_flip_min_deg: Positive
    balanced_repetition_max_ms: Positive
    stir_inversion_max_ms: Positive
    flair_inversion_min_ms: Positive
    axial_tilt_max_deg: Positive


class ReferenceMuscle(Section):
    """Where normal muscle is sampled, and how."""

    near_mm: Positive
    far_mm: Positive
    erosion_pixels: Count
    voxels_min: Count
    volume_min_ml: Positive
    trim_low_percent: Positive
    trim_high_percent: Positive
    disagreement_max: Fraction
    systematic_sd: Fraction
    bootstrap_draws: Count
    bootstrap_block_mm: Positive
    bootstrap_seed: int


class QualityLimits(Section):
    """Gates an acquisition must pass before an endpoint is judged."""

    slice_thickness_max_mm: Positive
    slice_thickness_warn_mm: Positive
    slice_gap_max_fraction: Positive
    in_plane_max_mm: Positive
    coverage_margin_min_mm: Positive
    snr_t2_min: Positive
    snr_t1_min: Positive
    fat_suppression_t1_good: Positive
    fat_suppression_t1_max: Positive
    fat_suppression_t2_good: Positive
    fat_suppression_t2_max: Positive
    fat_ring_mm: Positive
    fat_gap_mm: Positive
    fat_voxels_min: Count
    skin_mm: Positive
    clipped_fraction_max: Fraction
    confidence_min: Fraction


class RegistrationLimits(Section):
    """How far registration may be off."""

    error_mean_max_mm: Positive
    error_max_max_mm: Positive
    rotation_max_deg: Positive
    shift_max_mm: Positive
    overlap_min: Fraction
    similarity_same_min: Fraction
    similarity_cross_min: Fraction
    mirror_similarity_min: Fraction
    mirror_margin_min: Fraction
    breath_hold_sd_mm: Positive
    breath_hold_turn_sd_deg: Positive
    wall_slide_sd_mm: Positive
    wall_breath_sd_mm: Positive
    wall_turn_sd_deg: Positive


class MorphologyLimits(Section):
    """E1: size, location, shape and mass effect."""

    boundary_sd_pixels: Positive
    growth_volume_fraction: Positive
    growth_volume_min_ml: Positive
    growth_diameter_fraction: Positive
    growth_diameter_min_mm: Positive
    centroid_shift_min_mm: Positive
    dice_min: Fraction
    hausdorff95_min_mm: Positive
    sphericity_rise: Fraction
    thickness_ratio_rise: Positive
    thickness_rise_min_mm: Positive
    bulge_min_mm: Positive
    linea_alba_shift_min_mm: Positive
    log_jacobian_min: Positive
    displacement_min_mm: Positive
    ring_mm: Positive
    folding_max_fraction: Fraction


class SignalLimits(Section):
    """E2: level, foci and pattern on T2W-FS."""

    high_sd: Positive
    high_ratio_min: Positive
    high_fraction_present: Fraction
    focus_over_graft: Positive
    focus_free_share: Fraction
    focus_diluted_mm: Positive
    focus_spreads_min: Positive
    focus_pixels_min: Count
    rim_mm: Positive
    focus_min_mm: Positive
    cov_homogeneous_max: Positive
    stipples_min: Count
    nodule_min_mm: Positive
    mass_min_mm: Positive
    mass_min_ml: Positive
    new_focus_distance_mm: Positive
    focus_growth_mm: Positive
    ratio_rise_fraction: Positive
    early_days_max: Count


class FatLimits(Section):
    """E3: isointensity and fat on T1W."""

    isointense_low: Positive
    isointense_high: Positive
    focus_min_mm: Positive
    focus_min_ml: Positive
    focus_dark_ratio: Positive
    focus_bright_ratio: Positive
    rim_mm: Positive
    suppression_drop_min: Fraction
    ink_drop_min: Fraction
    ink_rim_min: Fraction
    opposed_phase_index_min: Fraction
    fat_fraction_rise_min: Fraction
    detectable_contrast: Fraction


class SurveillanceLimits(Section):
    """The composite flag."""

    node_short_axis_mm: Positive
    doubling_time_min_days: Positive
    indeterminate_for_amber: Count


class Protocol(Section):
    """All thresholds of one trial, and the hash of the file they came from."""

    id: str
    version: str
    sha256: str
    segmenter: str = "built-in"
    visits: VisitWindows
    series: SeriesLimits
    reference_muscle: ReferenceMuscle
    quality: QualityLimits
    registration: RegistrationLimits
    segmentation: SegmentationLimits
    morphology: MorphologyLimits
    signal: SignalLimits
    fat: FatLimits
    surveillance: SurveillanceLimits


def load_protocol(path: Path | None = None) -> Protocol:
    """Load a protocol file, or the trial's own one when `path` is None.

    Raises
    ------
    ProtocolError
        Not readable, not TOML, an entry without value, unit, source or rationale, or a key that
        is unknown, missing, or out of its range.
    """
    name = str(path) if path else "nct07276568.toml"
    content = _content(path)
    try:
        raw = tomllib.loads(content.decode("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ProtocolError("protocol_not_toml", file=name, detail=str(error)) from error
    plain = {key: values_of(name, key, entry) for key, entry in raw.items()}
    try:
        return Protocol.model_validate({**plain, "sha256": hashlib.sha256(content).hexdigest()})
    except ValidationError as error:
        problems = (f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise ProtocolError("protocol_keys", file=name, problems="; ".join(problems)) from error


def _content(path: Path | None) -> bytes:
    if path is None:
        return files("imaging").joinpath("protocols/nct07276568.toml").read_bytes()
    try:
        return path.read_bytes()
    except OSError as error:
        raise ProtocolError("protocol_unreadable", file=path, detail=error.strerror) from error
