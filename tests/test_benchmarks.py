"""Benchmarks: on small inputs they run, contenders agree, and a peer that fails says why."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks import measure_mask, memory, page, read_series, register_wall, surface_distances
from benchmarks.__main__ import RESULTS
from benchmarks.contest import Contender, compared, in_turns, largest_difference
from benchmarks.patient import Pair
from benchmarks.process import cost
from benchmarks.register_visit import trunk
from imaging.geometry import Geometry
from imaging.segmentation.body import body_mask
from imaging.segmentation.wall import anterior_wall
from imaging.transform import RigidTransform
from imaging.volume import Mask, Volume

OURS, SIMPLE_ITK = read_series.CONTENDERS[:2]


def test_a_series_has_the_same_voxels_for_ours_and_simpleitk(tmp_path: Path) -> None:
    read_series.write_series(tmp_path, slices=5, syntax="RLE", size=64)
    lines = compared(in_turns((OURS, SIMPLE_ITK), "read_series", tmp_path, rounds=1))
    assert [line["largest_difference"] for line in lines] == [0.0, 0.0]
    assert lines[0]["times_ours"] == 1.0


def test_two_balls_lie_three_millimetres_apart_within_half_a_voxel(tmp_path: Path) -> None:
    surface_distances.write_case(tmp_path, *surface_distances.balls())
    contenders = (surface_distances.CONTENDERS[0], surface_distances.CONTENDERS[2])
    ours, theirs = in_turns(contenders, "surface_distances", tmp_path, rounds=1)
    for outcome in (ours, theirs):
        assert outcome.values[0]["mean"] == pytest.approx(3.0, abs=0.5)
        assert outcome.values[0]["hausdorff95"] == pytest.approx(3.0, abs=0.5)
    assert ours.values[0]["dice"] == pytest.approx(theirs.values[0]["dice"], rel=1e-12)


def test_the_true_surfaces_of_two_balls_lie_three_millimetres_apart() -> None:
    true = surface_distances.true_distances(*surface_distances.BALLS)
    assert true == {
        "hausdorff95": pytest.approx(3.0, abs=0.02),
        "mean": pytest.approx(3.0, abs=0.02),
    }


def test_a_plate_is_measured_as_large_as_it_was_made(tmp_path: Path) -> None:
    """An ellipsoid of 40 × 9 × 50 mm has 9,425 mm³."""
    measure_mask.write_case(tmp_path, (64, 64, 24))
    (ours,) = in_turns(measure_mask.CONTENDERS[:1], "measure_mask", tmp_path, rounds=1)
    assert ours.values[0]["voxel volume"] == pytest.approx(9425, rel=0.05)
    assert ours.values[0]["maximum diameter"] == pytest.approx(50, abs=5)


def test_a_trunk_whose_header_is_moved_is_found_by_both() -> None:
    """The later visit is the same voxels under another header, so the motion is known exactly."""
    contenders = [c for c in register_wall.RIGID if c.name in ("graftsite", "SimpleITK, cut")]
    lines = register_wall.contest(moved_trunk, contenders, "register", rounds=1)
    for line in lines:
        assert line["error_mean_mm"] < 0.5
        assert line["unregistered_mean_mm"] == pytest.approx(5.0)


def moved_trunk() -> Pair:
    fixed = trunk((128, 128, 20), (3.0, 3.0, 8.0), t1=False)
    wall = anterior_wall(fixed, body_mask(fixed))
    matrix = np.eye(4)
    matrix[:3, 3] = (3.0, -4.0, 0.0)
    there = Geometry(matrix @ fixed.geometry.affine, fixed.geometry.shape)
    points = wall.points_mm[::50]
    return Pair(fixed, Volume(fixed.array, there), wall, Mask(wall.array, there), wall,
                Mask(wall.array, there), wall, wall.points_mm, points,
                RigidTransform(matrix) @ points)  # fmt: skip


@pytest.mark.parametrize(
    ("contender", "limit_s", "why"),
    [
        (Contender("x", "elastix", environment="never-made"), 60, "not installed"),
        (Contender("x", "file_bytes", ("no-such-package",)), 60, "no-such-package"),
        (Contender("x", "file_bytes", settings={"folder": "/nowhere"}), 60, "FileNotFoundError"),
    ],
)
def test_a_contender_that_fails_says_why(
    tmp_path: Path, contender: Contender, limit_s: float, why: str
) -> None:
    lines = compared(in_turns([contender], "read_series", tmp_path, 1, limit_s=limit_s))
    assert why in lines[0]["missing"]


def test_a_contender_that_does_not_end_is_stopped_and_says_so(tmp_path: Path) -> None:
    """It reads a pipe into which nobody writes."""
    os.mkfifo(tmp_path / "slice.dcm")
    lines = compared(
        in_turns([Contender("x", "file_bytes")], "read_series", tmp_path, 1, limit_s=1)
    )
    assert "no answer within 1 s" in lines[0]["missing"]


def test_the_largest_difference_is_relative_to_ours() -> None:
    assert largest_difference({"a": 11.0, "other": 1.0}, {"a": 10.0}) == pytest.approx(0.1)


def test_the_peak_of_a_command_is_its_own_whatever_the_process_that_measures_holds() -> None:
    held = np.ones(40_000_000)  # 320 MB
    told = cost([sys.executable, "-c", "x = bytearray(50_000_000)"])
    assert 50 < told["peak_mb"] < 150 < held.nbytes / 2**20


def test_a_command_that_fails_costs_nothing_but_an_error() -> None:
    with pytest.raises(subprocess.CalledProcessError):
        cost([sys.executable, "-c", "raise SystemExit(3)"])


def test_memory_on_a_line_leaves_no_residual() -> None:
    fit = memory.line((1, 2, 4), (10.0, 12.0, 16.0))
    assert fit["slope_mb"] == pytest.approx(2)
    assert fit["intercept_mb"] == pytest.approx(8)
    assert fit["residual_mb"] == pytest.approx(0, abs=1e-9)


def test_the_page_holds_the_tables_of_the_results() -> None:
    text = page.PAGE.read_text(encoding="utf-8")
    assert page.filled(text, json.loads(RESULTS.read_text())) == text
