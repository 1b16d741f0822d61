"""Quality: numbers checked by hand; every gate passes, warns and fails where it says."""

from dataclasses import replace

import numpy as np
import pytest

from imaging.gates import (
    acquisition_gates,
    clipping_gate,
    confidence_gate,
    coverage_gate,
    fat_suppression_gate,
    laterality_gate,
    reference_gate,
    registration_gate,
    scanner_gate,
    series_gate,
    snr_gate,
)
from imaging.geometry import Geometry
from imaging.measurement import measured, missing
from imaging.protocol import load_protocol
from imaging.quality import (
    ENDPOINTS,
    FAT,
    MORPHOLOGY,
    SIGNAL,
    Severity,
    clipped_fraction,
    fat_suppression_ratio,
    signal_to_noise,
)
from imaging.reference import NoReference, Reference, Side
from imaging.registration import Registration
from imaging.segmentation.masks import Graft, Muscles, Source
from imaging.series import Identity, Role, RoleDecision, Series, SeriesInfo
from imaging.transform import identity
from imaging.volume import Mask, Volume

PROTOCOL = load_protocol()
LIMITS = PROTOCOL.quality
HERE = Geometry(np.diag([1.0, 1.0, 5.0, 1.0]), (80, 80, 20))


def box(i: tuple[int, int], j: tuple[int, int], k: tuple[int, int], here: Geometry = HERE) -> Mask:
    array = np.zeros(here.shape, bool)
    array[slice(*i), slice(*j), slice(*k)] = True
    return Mask(array, here)


BODY = box((20, 60), (30, 70), (0, 20))
LEFT, RIGHT = box((42, 58), (45, 53), (0, 20)), box((22, 38), (45, 53), (0, 20))
GRAFT = box((46, 54), (47, 51), (8, 12))
MIDLINE = np.array([[40.0, 45.0, 5.0 * k] for k in range(20)])
MUSCLES = Muscles(BODY, LEFT, RIGHT, MIDLINE, 1.0)


def reference(median: float = 100.0, disagreement: float | None = 0.0) -> Reference:
    agreed = missing("one side") if disagreement is None else measured(disagreement)
    return Reference(Side.LEFT, LEFT, LEFT, median, 5.0, measured(median), measured(median), agreed)


def noisy(sd: float, air: str = "rayleigh") -> Volume:
    rng = np.random.default_rng(11)
    signal = np.where(BODY.array, 100.0, 0.0)
    real, imaginary = (rng.normal(0, sd, HERE.shape) for _ in range(2))
    array = np.hypot(signal + real, imaginary)
    if air == "zero":
        array[~BODY.array] = 0
    elif air == "ghosts":
        array[~BODY.array] *= rng.choice([1, 8], HERE.shape)[~BODY.array]
    return Volume(array.astype(np.float32), HERE)


@pytest.mark.parametrize("air", ["rayleigh", "zero", "ghosts"])
def test_snr_is_signal_over_noise_whatever_the_air_looks_like(air: str) -> None:
    snr = signal_to_noise(noisy(5.0, air), BODY, noisy(5.0, air), reference())
    assert snr.value == pytest.approx(20, rel=0.05)


def test_shading_does_not_pass_for_noise_in_the_muscle() -> None:
    slope = np.linspace(0.7, 1.3, 80)[:, None, None]
    volume = noisy(5.0, "zero")
    shaded = Volume((volume.array * slope).astype(np.float32), HERE)
    assert signal_to_noise(shaded, BODY, shaded, reference()).value == pytest.approx(20, rel=0.15)


def test_an_image_without_any_noise_has_no_snr_but_a_reason() -> None:
    flat = Volume(np.where(BODY.array, 100.0, 0.0).astype(np.float32), HERE)
    empty = Mask(np.zeros(HERE.shape, bool), HERE)
    nothing = replace(reference(), mask=empty)
    for body, muscle in ((BODY, reference()), (empty, nothing)):
        snr = signal_to_noise(flat, body, flat, muscle)
        assert snr.value is None
        assert snr.reason


def test_epsilon_is_subcutaneous_fat_over_muscle_near_the_graft() -> None:
    array = np.full(HERE.shape, 60.0, np.float32)
    array[LEFT.array | RIGHT.array] = 100
    array[BODY.array & (np.arange(80) < 34)[None, :, None]] = 500  # the skin
    array[:, 54:] = 900  # bowel behind the wall
    ratio = fat_suppression_ratio(Volume(array, HERE), MUSCLES, GRAFT, reference(), LIMITS)
    assert ratio.value == pytest.approx(0.6)


def test_a_lean_patient_and_an_empty_graft_have_no_epsilon_but_a_reason() -> None:
    volume = noisy(5.0)
    lean = Muscles(box((20, 60), (43, 70), (0, 20)), LEFT, RIGHT, MIDLINE, 1.0)
    nowhere = Mask(np.zeros(HERE.shape, bool), HERE)
    for muscles, near in ((lean, GRAFT), (MUSCLES, nowhere)):
        ratio = fat_suppression_ratio(volume, muscles, near, reference(), LIMITS)
        assert ratio.value is None
        assert "subcutaneous fat" in str(ratio.reason)


def test_clipping_is_the_share_of_the_region_at_the_ceiling() -> None:
    array = np.arange(HERE.shape[0] * 80 * 20, dtype=np.float32).reshape(HERE.shape)
    ceiling = np.minimum(array, array[GRAFT.array].min())
    assert clipped_fraction(Volume(ceiling, HERE), GRAFT, float(ceiling.max())) == 1.0
    assert clipped_fraction(Volume(array, HERE), GRAFT, float(array.max())) == 0.0
    nowhere = Mask(np.zeros(HERE.shape, bool), HERE)
    assert clipped_fraction(Volume(array, HERE), nowhere, float(array.max())) == 0.0


def info(**changes: object) -> SeriesInfo:
    return replace(SeriesInfo("1.2", "t2", Identity("S01"), "folder"), **changes)  # type: ignore[arg-type]


def series(pixel_mm: float, spacing_mm: float, thickness_mm: float | None) -> Series:
    geometry = Geometry(np.diag([pixel_mm, pixel_mm, spacing_mm, 1.0]), (8, 8, 4))
    volume = Volume(np.zeros((8, 8, 4), np.float32), geometry)
    return Series(
        info(slice_thickness_mm=thickness_mm),
        geometry,
        RoleDecision(Role.T2W_FS, ()),
        (),
        lambda: volume,
    )


@pytest.mark.parametrize(
    ("pixel", "spacing", "thickness", "codes"),
    [
        (1.2, 5.0, 5.0, ["SLICE_THICKNESS_PASSED", "SLICE_GAP_PASSED", "PIXEL_SIZE_PASSED"]),
        (1.2, 6.0, 6.0, ["SLICE_THICKNESS_WARNING", "SLICE_GAP_PASSED", "PIXEL_SIZE_PASSED"]),
        (1.2, 9.0, 9.0, ["SLICE_THICKNESS_FAILED", "SLICE_GAP_PASSED", "PIXEL_SIZE_PASSED"]),
        (1.2, 6.5, 5.0, ["SLICE_THICKNESS_PASSED", "SLICE_GAP_FAILED", "PIXEL_SIZE_PASSED"]),
        (1.6, 5.0, None, ["SLICE_THICKNESS_PASSED", "SLICE_GAP_PASSED", "PIXEL_SIZE_FAILED"]),
    ],
)
def test_slices_gaps_and_pixels_are_judged_by_the_protocol(
    pixel: float, spacing: float, thickness: float | None, codes: list[str]
) -> None:
    entries = acquisition_gates(series(pixel, spacing, thickness), LIMITS)
    assert [e.code for e in entries] == codes
    assert all(e.protocol_key and e.value is not None and e.threshold for e in entries)
    assert all(e.endpoints == (MORPHOLOGY, SIGNAL) for e in entries)


def test_a_graft_needs_10_mm_of_image_or_the_end_of_the_muscle() -> None:
    def judged(graft: Mask, rectus: Mask) -> tuple[Severity, float | None]:
        entry = coverage_gate(graft, rectus, HERE, identity(), Role.T2W_FS, LIMITS)
        return entry.severity, entry.value

    near_end = box((46, 54), (47, 51), (1, 5))  # one slice, 5 mm, below it
    muscle_ends = box((42, 58), (45, 53), (1, 18))
    assert judged(GRAFT, LEFT)[0] is Severity.INFO
    assert judged(near_end, LEFT) == (Severity.ERROR, 5.0)
    assert judged(near_end, muscle_ends)[0] is Severity.INFO
    assert judged(near_end, Mask(np.zeros(HERE.shape, bool), HERE))[0] is Severity.ERROR


def test_snr_and_fat_suppression_have_their_limits_per_weighting() -> None:
    def snr(value: float, role: Role) -> str:
        return snr_gate(measured(value), role, LIMITS).code

    def fat(value: float, role: Role) -> str:
        return fat_suppression_gate(measured(value), role, LIMITS).code

    assert [snr(12, Role.T2W_FS), snr(12, Role.T1W_FS)] == ["SNR_PASSED", "SNR_FAILED"]
    assert [fat(x, Role.T1W_FS) for x in (0.4, 0.6, 0.8)] == [
        "FAT_SUPPRESSION_PASSED",
        "FAT_SUPPRESSION_WARNING",
        "FAT_SUPPRESSION_FAILED",
    ]
    assert [fat(x, Role.T2W_FS) for x in (0.8, 1.2, 1.6)] == [
        "FAT_SUPPRESSION_PASSED",
        "FAT_SUPPRESSION_WARNING",
        "FAT_SUPPRESSION_FAILED",
    ]


def test_what_could_not_be_measured_warns_with_its_reason() -> None:
    for entry in (
        snr_gate(missing("masked"), Role.T2W_FS, LIMITS),
        fat_suppression_gate(missing("masked"), Role.T1W_FS, LIMITS),
    ):
        assert entry.severity is Severity.WARNING
        assert entry.value is None
        assert "masked" in entry.message


def test_clipping_beyond_the_limit_fails() -> None:
    assert clipping_gate(0.0, Role.T2W_FS, LIMITS).code == "CLIPPING_PASSED"
    assert clipping_gate(0.2, Role.T2W_FS, LIMITS).code == "CLIPPING_FAILED"


def test_a_graft_on_the_patients_right_stops_every_endpoint() -> None:
    right = Graft(box((24, 32), (47, 51), (8, 12)), Source.AUTOMATIC, 0.9)
    entry = laterality_gate(right, MUSCLES)
    assert entry is not None
    assert (entry.code, entry.severity) == ("LATERALITY_WRONG", Severity.ERROR)
    assert entry.endpoints == ENDPOINTS
    assert entry.value == pytest.approx(27.5 - 40.0)
    assert laterality_gate(Graft(GRAFT, Source.AUTOMATIC, 0.9), MUSCLES) is None
    assert laterality_gate(Graft(None, Source.AUTOMATIC, 0.9), MUSCLES) is None


def test_reference_muscles_that_differ_or_are_missing_are_told_apart() -> None:
    def judged(result: Reference | NoReference, role: Role = Role.T2W_FS):
        entry = reference_gate(result, role, PROTOCOL.reference_muscle)
        return entry.code, entry.severity, entry.endpoints

    assert judged(reference()) == ("REFERENCE_AGREEMENT", Severity.INFO, (SIGNAL,))
    assert judged(reference(disagreement=0.2)) == (
        "REFERENCE_DISAGREEMENT", Severity.ERROR, (SIGNAL,),
    )  # fmt: skip
    assert judged(reference(disagreement=None))[:2] == ("REFERENCE_ONE_SIDE", Severity.WARNING)
    assert judged(NoReference("too small"), Role.T1W_FS) == (
        "REFERENCE_MISSING", Severity.ERROR, (FAT,),
    )  # fmt: skip


def test_a_failed_registration_is_reported_with_its_reason() -> None:
    bad = Registration(identity(), False, None, None, "nothing fits")
    good = Registration(identity(), True, 0.9, 0.5)
    entry = registration_gate(bad, "M3 to baseline", (MORPHOLOGY, SIGNAL))
    assert entry is not None
    assert "M3 to baseline failed. nothing fits" in entry.message
    assert registration_gate(good, "M3 to baseline", (MORPHOLOGY,)) is None


def test_another_vendor_or_field_strength_forbids_a_statement_on_signal() -> None:
    siemens = info(manufacturer="SIEMENS", field_strength_t=3.0)
    renamed = info(manufacturer="Siemens Healthineers", field_strength_t=2.89)
    assert scanner_gate(renamed, siemens) is None
    assert scanner_gate(info(), siemens) is None
    for other in (info(manufacturer="Philips"), info(field_strength_t=1.5)):
        entry = scanner_gate(other, siemens)
        assert entry is not None
        assert entry.endpoints == (SIGNAL,)


def test_a_missing_series_names_the_endpoints_that_need_it() -> None:
    entry = series_gate(None, Role.T1W_FS)
    assert entry is not None
    assert (entry.code, entry.endpoints) == ("SERIES_MISSING", (FAT,))
    assert series_gate(series(1, 5, 5), Role.T1W_FS) is None


def test_an_unsure_outline_needs_a_reader() -> None:
    entry = confidence_gate(Graft(GRAFT, Source.AUTOMATIC, 0.2, ("It is faint.",)), LIMITS)
    assert entry is not None
    assert entry.code == "NEEDS_READER"
    assert "It is faint." in entry.message
    assert confidence_gate(Graft(GRAFT, Source.AUTOMATIC, 0.8), LIMITS) is None
