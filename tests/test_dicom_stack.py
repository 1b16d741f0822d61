"""Geometry of a DICOM series: from orientation and position alone, and never repaired."""

import numpy as np
import pytest
from dicom_files import ROOT, another, image, save, series

from imaging.loaders import find_series
from imaging.protocol import load_protocol
from imaging.series import Role

PROTOCOL = load_protocol()


def found(folder):
    return find_series([folder], PROTOCOL)


def only_refusal(folder):
    inventory = found(folder)
    assert inventory.series == ()
    (refusal,) = inventory.refusals
    return refusal


def test_row_spacing_comes_first_in_pixel_spacing(tmp_path):
    series(tmp_path)
    geometry = found(tmp_path).series[0].geometry
    assert geometry.shape == (8, 6, 4)
    expected = [[1.5, 0, 0, -10], [0, 2, 0, -20], [0, 0, 4, 0], [0, 0, 0, 1]]
    assert np.array_equal(geometry.affine, expected)
    assert geometry.frame_of_reference == f"{ROOT}4"


def test_voxels_are_indexed_column_row_slice(tmp_path):
    series(tmp_path)
    array = found(tmp_path).series[0].load().array
    assert array.dtype == np.float32
    assert (array[5, 0, 0], array[5, 3, 2], array[0, 5, 3]) == (5, 205, 300)


def test_slices_are_ordered_by_position_not_by_number_name_or_reading_order(tmp_path):
    ordered = series(tmp_path / "a")
    expected = found(tmp_path / "a").series[0]
    names = np.random.default_rng(3).permutation([p.name for p in ordered]).tolist()
    for k, name in enumerate(names):
        save(image(k, InstanceNumber=40 - k, SliceLocation=0), tmp_path / "b" / "deep" / name)
    mixed = found(tmp_path / "b").series[0]
    assert mixed.geometry.same_grid(expected.geometry)
    assert np.array_equal(mixed.load().array, expected.load().array)


def test_a_series_stored_head_first_gives_the_same_volume(tmp_path):
    series(tmp_path / "up")
    for k in range(4):
        save(image(k), tmp_path / "down" / f"{9 - k}")
    up, down = found(tmp_path / "up").series[0], found(tmp_path / "down").series[0]
    assert np.array_equal(up.load().array, down.load().array)


def test_an_oblique_series_keeps_its_true_affine(tmp_path):
    c, s = np.cos(0.3), np.sin(0.3)
    normal = np.array([0, -s, c])
    series(
        tmp_path,
        ImageOrientationPatient=[1, 0, 0, 0, c, s],
        ImagePositionPatient=lambda k: [round(x, 6) for x in (4 * k * normal).tolist()],
    )
    affine = found(tmp_path).series[0].geometry.affine
    assert affine[:3, 2] == pytest.approx(4 * normal, abs=1e-5)
    assert affine[:3, 1] == pytest.approx([0, 2 * c, 2 * s], abs=1e-9)


def test_a_missing_slice_is_refused_with_its_place_and_distance(tmp_path):
    paths = series(tmp_path, slices=6)
    paths[3].unlink()
    refusal = only_refusal(tmp_path)
    assert refusal.code == "slices_missing"
    assert "IM0003" in refusal.message and "IM0005" in refusal.message
    assert "8.0 mm instead of 4.0 mm" in refusal.message
    assert "t2_tse_fs_tra" in refusal.message
    assert len(refusal.files) == 5


def test_uneven_distances_are_refused(tmp_path):
    series(tmp_path, ImagePositionPatient=lambda k: [0, 0, [0, 4, 8, 12.5][k]])
    assert only_refusal(tmp_path).code == "slices_uneven"


def test_rounding_of_positions_is_no_gap(tmp_path):
    series(tmp_path, ImagePositionPatient=lambda k: [0, 0, [0, 4.004, 7.998, 12.001][k]])
    assert found(tmp_path).series[0].geometry.spacing_mm[2] == pytest.approx(4, abs=0.001)


def test_a_tilted_stack_is_refused_with_its_angle(tmp_path):
    # 4 mm up and 0.5 mm sideways a slice: atan(0.125) = 7.13 degrees.
    series(tmp_path, ImagePositionPatient=lambda k: [0.5 * k, 0, 4 * k])
    refusal = only_refusal(tmp_path)
    assert refusal.code == "stack_sheared"
    assert "7.13" in refusal.message


def test_two_different_images_at_one_position_are_refused(tmp_path):
    series(tmp_path)
    save(image(9, ImagePositionPatient=[-10, -20, 4]), tmp_path / "extra")
    refusal = only_refusal(tmp_path)
    assert refusal.code == "positions_duplicate"
    assert "extra" in refusal.message and "4.0 mm" in refusal.message


@pytest.mark.parametrize("slices", [1, 2])
def test_fewer_than_three_slices_are_refused(tmp_path, slices):
    series(tmp_path, slices=slices)
    assert only_refusal(tmp_path).code == "slices_few"


@pytest.mark.parametrize(
    "attribute", ["PixelSpacing", "ImagePositionPatient", "ImageOrientationPatient"]
)
def test_a_series_without_its_place_is_refused_and_the_attribute_named(tmp_path, attribute):
    series(tmp_path, **{attribute: None})
    refusal = only_refusal(tmp_path)
    assert refusal.code == "place_absent"
    assert attribute in refusal.message


def test_spacing_of_zero_is_absent_spacing(tmp_path):
    series(tmp_path, PixelSpacing=[0, 0])
    assert only_refusal(tmp_path).code == "place_absent"


def test_an_orientation_that_is_not_two_perpendicular_unit_vectors_is_refused(tmp_path):
    series(tmp_path, ImageOrientationPatient=[1, 0, 0, 0.5, 0.5, 0])
    assert only_refusal(tmp_path).code == "orientation_invalid"


def test_three_orientations_in_one_series_are_three_stacks_and_a_localizer(tmp_path):
    planes = {"a": [1, 0, 0, 0, 1, 0], "b": [1, 0, 0, 0, 0, -1], "c": [0, 1, 0, 0, 0, -1]}
    for number, (name, plane) in enumerate(planes.items()):
        normal = np.cross(plane[:3], plane[3:])
        for k in range(3):
            save(
                image(
                    k,
                    SOPInstanceUID=f"{ROOT}8.{number}.{k + 1}",
                    InstanceNumber=10 * number + k,
                    ImageOrientationPatient=plane,
                    ImagePositionPatient=(10.0 * k * normal).tolist(),
                ),
                tmp_path / f"{name}{k}",
            )
    inventory = found(tmp_path)
    assert [s.geometry.shape for s in inventory.series] == [(8, 6, 3)] * 3
    assert {s.role for s in inventory.series} == {Role.LOCALIZER}
    assert inventory.refusals == ()


def test_two_series_in_one_folder_are_told_apart(tmp_path):
    series(tmp_path)
    series(tmp_path, start=50, slices=5, **another(2, SeriesDescription="t1", EchoTime=10))
    assert sorted(s.geometry.shape[2] for s in found(tmp_path).series) == [4, 5]


def test_a_broken_series_does_not_stop_the_one_beside_it(tmp_path):
    series(tmp_path)
    broken = series(tmp_path, start=50, slices=5, **another(2))
    broken[2].unlink()
    inventory = found(tmp_path)
    assert len(inventory.series) == 1
    assert [r.code for r in inventory.refusals] == ["slices_missing"]
