"""Signal equations and relaxation times against numbers worked out by hand."""

from math import cos, exp, radians, sin

import pytest

from imaging.simulation.sequence import T1W_FS, T2W_FS, T2W_STIR, Sequence
from imaging.simulation.tissue import RELAXATION, Relaxation, Tissue

AT_3T = RELAXATION[3.0]
PURE = Relaxation(1000.0, 100.0, 1.0)


def t2_ratio(tissue: Tissue) -> float:
    return T2W_FS.water(AT_3T[tissue]) / T2W_FS.water(AT_3T[Tissue.MUSCLE])


def t1_ratio(tissue: Tissue) -> float:
    return T1W_FS.water(AT_3T[tissue]) / T1W_FS.water(AT_3T[Tissue.MUSCLE])


def test_a_spin_echo_with_endless_repetition_decays_with_t2_alone() -> None:
    assert Sequence("T2", 1e9, 100.0).water(PURE) == pytest.approx(exp(-1))


def test_a_spin_echo_after_one_t1_has_recovered_63_percent() -> None:
    assert Sequence("T1", 1000.0, 0.0).water(PURE) == pytest.approx(1 - exp(-1))


def test_inversion_recovery_nulls_tissue_at_ln_2_times_t1() -> None:
    nulled = Sequence("STIR", 1e9, 0.0, inversion_ms=693.147)
    assert nulled.water(PURE) == pytest.approx(0.0, abs=1e-4)


def test_the_spoiled_echo_peaks_at_the_ernst_angle() -> None:
    e1 = exp(-0.1)  # TR 100 ms, T1 1000 ms: the Ernst angle is arccos(e1) = 25.2 degrees
    by_hand = sin(radians(25.2)) * (1 - e1) / (1 - e1 * cos(radians(25.2)))
    signals = {a: Sequence("GRE", 100.0, 0.0, flip_deg=a).water(PURE) for a in (20.0, 25.2, 30.0)}
    assert signals[25.2] == pytest.approx(by_hand)
    assert signals[25.2] > max(signals[20.0], signals[30.0])


def test_muscle_has_the_relaxation_times_de_bazelaire_measured_at_3_t() -> None:
    muscle, liver = AT_3T[Tissue.MUSCLE], AT_3T[Tissue.LIVER]
    assert (muscle.t1_ms, muscle.t2_ms) == (898.0, 29.0)
    assert (liver.t1_ms, liver.t2_ms) == (809.0, 34.0)


def test_healthy_hepatocyte_tissue_is_0_9_to_1_5_times_muscle_on_t2w() -> None:
    assert 0.9 <= t2_ratio(Tissue.HEPATOCYTE) <= 1.5


def test_healthy_hepatocyte_tissue_is_1_1_to_1_6_times_muscle_on_t1w() -> None:
    assert 1.1 <= t1_ratio(Tissue.HEPATOCYTE) <= 1.6


def test_oedema_is_about_2_6_times_muscle_on_t2w() -> None:
    assert t2_ratio(Tissue.OEDEMA) == pytest.approx(2.6, rel=0.1)


def test_fluid_is_about_ten_times_muscle_on_t2w() -> None:
    assert t2_ratio(Tissue.FLUID) == pytest.approx(10.0, rel=0.15)


def test_unsuppressed_fat_is_brighter_than_muscle_on_both_weightings() -> None:
    fat = AT_3T[Tissue.FAT]
    for sequence in (T2W_FS, T1W_FS):
        assert sequence.fat(fat, 3.0) > 1.4 * sequence.water(AT_3T[Tissue.MUSCLE])


def test_stir_leaves_less_than_a_fifth_of_the_fat() -> None:
    fat = AT_3T[Tissue.FAT]
    plain = Sequence("T2", T2W_STIR.repetition_ms, T2W_STIR.echo_ms, fat_t2_factor=1.5)
    assert T2W_STIR.fat(fat, 3.0) < 0.2 * plain.fat(fat, 3.0)
