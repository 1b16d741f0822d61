"""Segmentation limits: what finding muscles and graft goes by, a section of the protocol."""

from __future__ import annotations

from imaging.threshold import Fraction, Positive, Section


class SegmentationLimits(Section):
    """Automatic outlines: what muscles and graft look like, and what makes them sure."""

    muscle_fat_min_mm: Positive
    muscle_fat_max_mm: Positive
    muscle_band_min_mm: Positive
    muscle_thickness_low_mm: Positive
    muscle_thickness_high_mm: Positive
    muscle_thickness_max_mm: Positive
    muscle_lateral_fraction: Fraction
    muscle_lateral_spread_fraction: Fraction
    muscle_linea_alba_max_mm: Positive
    muscle_in_plane_max_mm: Positive
    muscle_tilt_max_deg: Positive
    muscle_step_min: Positive
    muscle_level_spread: Positive
    muscle_visible_min: Fraction
    muscle_visible_good: Fraction
    muscle_asymmetry_good_mm: Positive
    muscle_asymmetry_max_mm: Positive
    muscle_at_limit_good: Fraction
    muscle_at_limit_max: Fraction
    muscle_t2_alone: Fraction
    muscle_network_min: Fraction
    muscle_network_good: Fraction
    graft_volume_min_ml: Positive
    graft_volume_max_ml: Positive
    graft_width_min_mm: Positive
    graft_ratio_min: Positive
    graft_sd_min: Positive
    graft_bulge_mm: Positive
    graft_bulge_t1_ratio_min: Positive
    vessel_ratio_min: Positive
    vessel_length_mm: Positive
    graft_smoothing_mm: Positive
    graft_prior_margin_mm: Positive
    graft_prior_sd_min: Positive
    graft_prior_whole_sd_min: Positive
    graft_change_contrast_min: Positive
    graft_change_grown: Positive
    graft_change_same: Fraction
    graft_dark_ratio_max: Positive
    graft_seed_tolerance_mm: Positive
    graft_seed_muscle_min: Fraction
    graft_contrast_good: Positive
    graft_contrast_alone: Positive
    graft_contrast_min: Positive
    graft_spread_good: Positive
    graft_spread_max: Positive
    graft_leak_good: Positive
    graft_leak_max: Positive
    graft_symmetry_good: Positive
    graft_symmetry_max: Positive
    graft_brighter_good: Positive
    graft_brighter_min: Positive
    graft_darker_good: Positive
    graft_darker_max: Positive
    graft_thickness_good_px: Positive
    graft_thickness_min_px: Positive
    graft_sides_good: Positive
    graft_sides_max: Positive
    graft_visible_good: Positive
    graft_visible_min: Positive
    graft_rest_min: Fraction
    graft_agreement_good: Positive
    graft_agreement_min: Positive
    graft_invisible_confidence: Fraction
    graft_part_fraction: Fraction
    graft_spot_held_min: Fraction
    graft_spot_same_min: Fraction
