"""Roles: acquisition attributes first, words last, and the reason always said."""

import csv
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imaging.protocol import load_protocol
from imaging.roles import decide_role
from imaging.series import Identity, Role, SeriesInfo

LIMITS = load_protocol().series
FAT_SUPPRESSED = {Role.T2W_FS, Role.T1W_FS}
NOT_FAT_SUPPRESSED = {Role.T2W, Role.T1W}

TSE = {"scanning_sequence": ("SE",), "repetition_time_ms": 3500.0, "echo_time_ms": 85.0}
VIBE = {
    "scanning_sequence": ("GR",), "sequence_variant": ("SP", "OSP"),
    "repetition_time_ms": 4.1, "echo_time_ms": 1.9, "flip_angle_deg": 10.0,
}  # fmt: skip
SE_T1 = {"scanning_sequence": ("SE",), "repetition_time_ms": 550.0, "echo_time_ms": 12.0}
FS = {"scan_options": ("PFP", "FS")}


def decide(**attributes):
    base = {"uid": "1.2", "description": "", "identity": Identity("S"), "source": "x"}
    return decide_role(SeriesInfo(**{**base, **attributes}), LIMITS)


@pytest.mark.parametrize(
    ("attributes", "role"),
    [
        (TSE | FS, Role.T2W_FS),
        (TSE, Role.T2W),
        (TSE | {"repetition_time_ms": 1200.0, "echo_time_ms": 92.0} | FS, Role.T2W_FS),  # HASTE
        (TSE | {"inversion_time_ms": 160.0}, Role.T2W_FS),  # STIR at 1.5 T
        (TSE | {"inversion_time_ms": 220.0, "echo_time_ms": 30.0}, Role.T2W_FS),  # STIR at 3 T
        (TSE | {"inversion_time_ms": 2200.0}, Role.OTHER),  # FLAIR
        (TSE | {"echo_time_ms": 20.0}, Role.OTHER),  # proton density
        (SE_T1, Role.T1W),
        (SE_T1 | FS, Role.T1W_FS),
        (VIBE | FS, Role.T1W_FS),
        (VIBE | {"scan_options": ("PFP", "SFS")}, Role.T1W_FS),
        (VIBE, Role.T1W),
        (VIBE | {"scan_options": ("SAT_GEMS", "ACC_GEMS")}, Role.T1W),  # a spatial band
        (VIBE | {"scan_options": ("SAT_GEMS", "FS")}, Role.T1W_FS),
        (VIBE | {"flip_angle_deg": 2.0}, Role.OTHER),  # proton density
        (VIBE | {"echo_time_ms": 18.0}, Role.OTHER),  # T2*
        (VIBE | {"flip_angle_deg": 60.0}, Role.OTHER),  # balanced steady state
        (VIBE | {"sequence_name": "*tfi2d1_250", "flip_angle_deg": None}, Role.OTHER),
        (VIBE | {"dixon": "WATER"}, Role.T1W_FS),
        (TSE | {"dixon": "WATER"}, Role.T2W_FS),
        (VIBE | {"dixon": "FAT"}, Role.DIXON_FAT),
        (VIBE | {"dixon": "IN_PHASE"}, Role.DIXON_IN_PHASE),
        (VIBE | {"dixon": "OPPOSED_PHASE"}, Role.DIXON_OPPOSED_PHASE),
        (VIBE | FS | {"contrast_agent": "Gd"}, Role.POST_CONTRAST),
        (TSE | FS | {"contrast_agent": "Gd"}, Role.T2W_FS),
        (VIBE | FS | {"component": "PHASE"}, Role.OTHER),
        (TSE | {"image_type": ("ORIGINAL", "PRIMARY", "LOCALIZER")}, Role.LOCALIZER),
        (TSE | {"orientations": 3}, Role.LOCALIZER),
        (VIBE | {"image_type": ("DERIVED", "SECONDARY", "MPR")}, Role.DERIVED),
        (VIBE | {"image_type": ("DERIVED", "PRIMARY", "SUBTRACT")}, Role.DERIVED),
        (VIBE | FS | {"image_type": ("DERIVED", "PRIMARY", "M", "NORM", "DIS2D")}, Role.T1W_FS),
        ({"b_value_s_mm2": 800.0}, Role.DWI),
        ({"b_value_s_mm2": 0.0, "scanning_sequence": ("EP",)}, Role.DWI),
        ({"image_type": ("DERIVED", "PRIMARY", "DIFFUSION", "TRACEW")}, Role.DWI),
        ({"image_type": ("DERIVED", "PRIMARY", "DIFFUSION", "ADC")}, Role.DERIVED),
        ({"scanning_sequence": ("EP",)}, Role.OTHER),
        ({"contrast": "STIR"}, Role.T2W_FS),
        ({"contrast": "T2_STAR"}, Role.OTHER),
        ({"repetition_time_ms": 130.0, "echo_time_ms": 4.6, "flip_angle_deg": 25.0}, Role.T1W),
        ({"repetition_time_ms": 3000.0, "echo_time_ms": 90.0}, Role.T2W),
        ({}, Role.OTHER),
    ],
)  # fmt: skip
def test_attributes_alone_decide(attributes, role):
    assert decide(**attributes).role is role


def test_headers_win_over_the_description_and_the_conflict_is_said():
    decision = decide(**TSE, **FS, description="t2_tse_NO_FATSAT")
    assert decision.role is Role.T2W_FS
    assert any("header was believed" in sentence for sentence in decision.evidence)
    explicit = decide(**TSE, fat_suppressed=False, description="t2 fs")
    assert explicit.role is Role.T2W
    assert any("header was believed" in sentence for sentence in explicit.evidence)


def test_a_misleading_weighting_in_the_description_is_ignored():
    assert decide(**TSE, **FS, description="T1_VIBE").role is Role.T2W_FS


@pytest.mark.parametrize(
    ("description", "role"),
    [
        ("AX T2 FS", Role.T2W_FS),
        ("t2_tse_spair_tra", Role.T2W_FS),
        ("T2W_SPIR_RT", Role.T2W_FS),
        ("COR STIR", Role.T2W_FS),
        ("AX T2 NON FS", Role.T2W),
        ("AX T2 FSE", Role.T2W),
        ("t1_vibe_fs_tra_bh", Role.T1W_FS),
        ("fl3d_tra_NO-FATSAT", Role.T1W),
        ("Ax 3D LAVA", Role.T1W),
        ("AX FSPGR", Role.T1W),
        ("t1_vibe_dixon_tra_bh_W", Role.T1W_FS),
        ("t1_vibe_dixon_tra_bh_F", Role.DIXON_FAT),
        ("t1_vibe_dixon_tra_bh_in", Role.DIXON_IN_PHASE),
        ("t1_vibe_dixon_tra_bh_opp", Role.DIXON_OPPOSED_PHASE),
        ("WATER: Ax LAVA Flex", Role.T1W_FS),
        ("InPhase: Ax LAVA Flex", Role.DIXON_IN_PHASE),
        ("T1 VIBE FS POST", Role.POST_CONTRAST),
        ("Ax LAVA +C", Role.POST_CONTRAST),
        ("T1 FS PRE", Role.T1W_FS),
        ("3 plane loc", Role.LOCALIZER),
        ("DWI b800", Role.DWI),
        ("MPR COR", Role.DERIVED),
        ("T2 FLAIR", Role.OTHER),
        ("T1 and T2", Role.OTHER),
        ("AX IN/OUT", Role.OTHER),
    ],
)
def test_without_attributes_the_description_decides(description, role):
    decision = decide(description=description)
    assert decision.role is role
    assert decision.evidence


@pytest.mark.parametrize(
    ("description", "expected"),
    [("abc fs", True), ("abc nofs", False), ("abc", False)],
)
def test_the_description_settles_fat_suppression_only_where_the_header_is_silent(
    description, expected
):
    role = decide(**TSE, description=description).role
    assert role is (Role.T2W_FS if expected else Role.T2W)


def test_a_stated_role_is_believed():
    assert decide(**TSE, stated_role=Role.T1W_FS).role is Role.T1W_FS


@given(st.text())
def test_no_description_crashes_the_decision(description):
    decision = decide(description=description)
    assert decision.role in Role
    assert decision.evidence


@pytest.fixture(scope="module")
def real_names(real_data):
    path = real_data / "series_descriptions" / "idc_mr_series_descriptions.tsv"
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    return [row["SeriesDescription"] for row in rows]


# Written without a look at the program's own patterns: plain words, whole between separators.
EXPLICIT = re.compile(
    r"(?<![A-Z])(FS|FAT ?SAT|FATSAT|SPAIR|SPIR|STIR|FAT SUP\w*)(?![A-Z])", re.IGNORECASE
)
EXPLICIT_NOT = re.compile(
    r"(?<![A-Z])(NON?|NOT|W/?O|WITHOUT)[-_ ]*(FS|FAT[-_ ]?SAT)(?![A-Z])|(?<![A-Z])NFS(?![A-Z])",
    re.IGNORECASE,
)


def test_no_real_name_with_an_explicit_fat_suppression_word_is_called_unsuppressed(real_names):
    plain = [re.sub(r"[-_ ]+", " ", name) for name in real_names]
    with_fs = [n for n in plain if EXPLICIT.search(n) and not EXPLICIT_NOT.search(n)]
    assert len(with_fs) > 400
    assert [n for n in with_fs if decide(description=n).role in NOT_FAT_SUPPRESSED] == []


def test_no_real_name_that_denies_fat_suppression_is_called_suppressed(real_names):
    without = [n for n in real_names if EXPLICIT_NOT.search(n)]
    assert len(without) > 10
    assert [n for n in without if decide(description=n).role in FAT_SUPPRESSED] == []


def test_real_names_that_say_nothing_are_counted_as_other(real_names):
    unknown = [n for n in real_names if decide(description=n).role is Role.OTHER]
    # A name made of numbers only, as half of the collection's post-processed ones are.
    numbers = [n for n in real_names if re.fullmatch(r"[\d/().+\- ]+", n)]
    assert set(numbers) <= set(unknown)
    assert len(real_names) == 4355
    assert 0.2 < len(unknown) / len(real_names) < 0.5
