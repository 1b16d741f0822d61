"""NIfTI: orientation, voxels, and where subject, visit and role come from."""

import gzip
import json
import zipfile

import nibabel as nib
import numpy as np
import pytest

from imaging.errors import FileError, SeriesError
from imaging.loaders import check_pixels, find_series
from imaging.protocol import load_protocol
from imaging.series import Role
from imaging.visits import arrange

PROTOCOL = load_protocol()
VOXELS = np.arange(60, dtype=np.int16).reshape(3, 4, 5)
AFFINE = np.array([[-1.5, 0, 0, 10], [0, 2, 0, -20], [0, 0, 4, 30], [0, 0, 0, 1.0]])


def write(path, voxels=VOXELS, affine=AFFINE, codes=(1, 1), **header):
    path.parent.mkdir(parents=True, exist_ok=True)
    image = nib.Nifti1Image(voxels, affine)
    image.set_sform(affine, codes[0])
    image.set_qform(affine, codes[1])
    for name, value in header.items():
        image.header[name] = value
    nib.save(image, path)
    return path


def found(*paths):
    return find_series(paths, PROTOCOL)


def one(path):
    (series,) = found(path).series
    return series


def refused(path):
    inventory = found(path)
    assert inventory.series == ()
    (refusal,) = inventory.refusals
    assert str(path) in refusal.message
    return refusal.code


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
def test_the_affine_is_turned_from_ras_to_lps_and_voxels_stay(tmp_path, name):
    series = one(write(tmp_path / name))
    expected = [[1.5, 0, 0, -10], [0, -2, 0, 20], [0, 0, 4, 30], [0, 0, 0, 1]]
    assert np.array_equal(series.geometry.affine, expected)
    assert np.array_equal(series.load().array, VOXELS)


def test_nifti_2_is_read(tmp_path):
    nib.save(nib.Nifti2Image(VOXELS, AFFINE), tmp_path / "a.nii")
    assert np.array_equal(one(tmp_path / "a.nii").load().array, VOXELS)


def test_a_slope_and_an_intercept_are_applied(tmp_path):
    path = write(tmp_path / "a.nii")
    content = bytearray(path.read_bytes())
    content[112:120] = np.array([2, 5], "<f4").tobytes()  # scl_slope, scl_inter
    path.write_bytes(content)
    assert np.array_equal(one(path).load().array, VOXELS * 2.0 + 5)


def test_integers_in_float64_with_slopes_that_are_no_number_are_read(tmp_path):
    path = write(tmp_path / "a.nii.gz", VOXELS.astype(np.float64))
    assert np.isnan(nib.load(path).dataobj.slope) or nib.load(path).dataobj.slope == 1
    assert np.array_equal(one(path).load().array, VOXELS)


def test_the_qform_is_used_when_there_is_no_sform(tmp_path):
    assert one(write(tmp_path / "a.nii", codes=(0, 1))).geometry.affine[0, 0] == 1.5


def test_without_sform_and_qform_left_and_right_are_unknown(tmp_path):
    assert refused(write(tmp_path / "a.nii", codes=(0, 0))) == "nifti_no_orientation"


def test_two_orientations_that_disagree_are_refused(tmp_path):
    image = nib.Nifti1Image(VOXELS, AFFINE)
    image.set_qform(AFFINE, 1)
    image.set_sform(np.diag([-1.0, 1, 1, 1]) @ AFFINE, 1)
    nib.save(image, tmp_path / "a.nii")
    assert refused(tmp_path / "a.nii") == "nifti_two_orientations"


def test_a_sheared_orientation_is_refused(tmp_path):
    sheared = AFFINE.copy()
    sheared[0, 2] = 1
    image = nib.Nifti1Image(VOXELS, sheared)
    image.set_qform(None, 0)
    nib.save(image, tmp_path / "a.nii")
    assert refused(tmp_path / "a.nii") == "nifti_sheared"


@pytest.mark.parametrize("value", [0, np.nan])
def test_an_orientation_of_zeros_or_no_numbers_is_refused(tmp_path, value):
    path = write(tmp_path / "a.nii", codes=(1, 0))
    content = bytearray(path.read_bytes())
    content[280:328] = np.full(12, value, "<f4").tobytes()  # srow_x, srow_y, srow_z
    path.write_bytes(content)
    assert refused(path) == "nifti_sheared"


def test_a_quaternion_that_is_no_rotation_is_refused(tmp_path):
    path = write(tmp_path / "a.nii", codes=(0, 1))
    content = bytearray(path.read_bytes())
    content[256:268] = np.full(3, 5, "<f4").tobytes()  # quatern_b, c, d
    path.write_bytes(content)
    assert refused(path) == "nifti_damaged"


def test_a_nifti_file_in_an_archive_is_read(tmp_path):
    path = write(tmp_path / "a.nii")
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as file:
        file.write(path, "S01/D28/t2w_fs.nii")
    series = one(tmp_path / "a.zip")
    assert series.info.identity.subject == "S01"
    assert np.array_equal(series.load().array, VOXELS)


@pytest.mark.parametrize("shape", [(3, 4, 5, 2), (12, 5)])
def test_anything_but_three_dimensions_is_refused(tmp_path, shape):
    path = write(tmp_path / "a.nii", np.zeros(shape, np.int16))
    assert refused(path) == "nifti_dimensions"


def test_a_fourth_dimension_of_one_is_three_dimensions(tmp_path):
    assert one(write(tmp_path / "a.nii", VOXELS[..., None])).geometry.shape == (3, 4, 5)


def test_two_slices_are_refused(tmp_path):
    assert refused(write(tmp_path / "a.nii", VOXELS[:, :, :2])) == "slices_few"


def test_complex_voxels_are_refused(tmp_path):
    assert refused(write(tmp_path / "a.nii", VOXELS.astype(np.complex64))) == "too_large"


def test_a_truncated_file_is_refused_at_once(tmp_path):
    path = write(tmp_path / "a.nii")
    path.write_bytes(path.read_bytes()[:-9])
    assert refused(path) == "pixels_truncated"


def test_a_truncated_packed_file_is_refused_when_loaded(tmp_path):
    path = write(tmp_path / "a.nii.gz", np.random.default_rng(0).random((9, 9, 9)))
    path.write_bytes(path.read_bytes()[:-500])
    with pytest.raises(FileError, match="damaged"):
        one(path).load()
    assert [r.code for r in check_pixels(found(path)).refusals] == ["nifti_damaged"]


def test_a_packed_file_with_too_few_voxels_is_refused_when_loaded(tmp_path):
    path = write(tmp_path / "a.nii.gz")
    path.write_bytes(gzip.compress(gzip.decompress(path.read_bytes())[:-9]))
    with pytest.raises(FileError, match="truncated"):
        one(path).load()


def test_voxels_that_are_not_finite_are_refused_when_loaded(tmp_path):
    voxels = VOXELS.astype(np.float32)
    voxels[1, 1, 1] = np.nan
    with pytest.raises(SeriesError, match="not finite"):
        one(write(tmp_path / "a.nii", voxels)).load()


@pytest.mark.parametrize("content", [b"", b"hello", bytes(600), bytes(344) + b"n+1\0" + bytes(300)])
def test_bytes_that_are_no_nifti_are_refused(tmp_path, content):
    (tmp_path / "a.nii").write_bytes(content)
    assert refused(tmp_path / "a.nii") in {"nifti_damaged", "nifti_dimensions"}


def test_a_header_with_an_unknown_number_format_is_refused(tmp_path):
    path = write(tmp_path / "a.nii")
    content = bytearray(path.read_bytes())
    content[70:72] = b"\xff\x7f"
    path.write_bytes(content)
    assert refused(path) == "nifti_damaged"


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("a.img", "analyze"),
        ("a.hdr", "analyze"),
        ("a.PAR", "par_rec"),
        ("a.nrrd", "format_unknown"),
    ],
)
def test_formats_that_cannot_be_trusted_are_refused_with_their_reason(tmp_path, name, code):
    (tmp_path / name).write_bytes(b"x" * 400)
    assert refused(tmp_path / name) == code


@pytest.mark.parametrize(
    ("path", "subject", "visit", "role"),
    [
        ("S01/D28/t2w_fs.nii.gz", "S01", "D28", Role.T2W_FS),
        ("S01/BASELINE/t1w_fs.nii.gz", "S01", "BASELINE", Role.T1W_FS),
        ("S01/M3/t1w.nii", "S01", "M3", Role.T1W),
        ("data/S02_M6_t2_spir.nii.gz", "S02", "M6", Role.T2W_FS),
        ("data/S02_baseline_t1_vibe_fs.nii.gz", "S02", "baseline", Role.T1W_FS),
        ("sub-03/ses-M12/anat/sub-03_ses-M12_acq-fs_T2w.nii.gz", "03", "M12", Role.T2W),
        ("S04/t2w_fs.nii.gz", "S04", "BASELINE", Role.T2W_FS),
        ("somewhere/image_1.nii.gz", "image_1", "BASELINE", None),
    ],
)
def test_names_and_folders_say_subject_visit_and_role(tmp_path, path, subject, visit, role):
    series = one(write(tmp_path / path))
    identity = series.info.identity
    assert (identity.subject, identity.time_point) == (subject, visit)
    assert series.info.stated_role is role
    if role is None:
        assert series.role is Role.OTHER
        assert "side-car" in series.decision.evidence[0]


def test_a_side_car_outranks_the_name(tmp_path):
    path = write(tmp_path / "scan_t1w.nii.gz")
    stated = {"subject": "A 7", "visit": "Month 3", "role": "T2W-FS", "study_date": "2026-04-01"}
    side = tmp_path / "scan_t1w.json"
    side.write_text(json.dumps(stated))
    series = one(tmp_path)
    assert series.info.identity.subject == "A_7"
    assert series.info.identity.time_point == "Month 3"
    assert series.info.identity.study_date.isoformat() == "2026-04-01"
    assert series.role is Role.T2W_FS
    assert series.files == (str(path), str(side))


def test_bids_keys_of_a_side_car_decide_the_role_like_headers(tmp_path):
    write(tmp_path / "x.nii")
    bids = {
        "EchoTime": 0.08, "RepetitionTime": 3.5, "FlipAngle": 120, "ScanningSequence": "SE",
        "ScanOptions": "PFP\\FS", "Manufacturer": "Siemens", "MagneticFieldStrength": 3,
        "ImageType": ["ORIGINAL", "PRIMARY", "M"],
    }  # fmt: skip
    (tmp_path / "x.json").write_text(json.dumps(bids))
    series = one(tmp_path)
    assert series.role is Role.T2W_FS
    assert series.info.echo_time_ms == pytest.approx(80)
    assert (series.info.manufacturer, series.info.field_strength_t) == ("Siemens", 3)


def test_a_side_car_may_say_that_fat_is_suppressed(tmp_path):
    write(tmp_path / "x.nii")
    stated = {"SeriesDescription": "ax t2 tse", "fat_suppressed": True}
    (tmp_path / "x.json").write_text(json.dumps(stated))
    assert one(tmp_path).role is Role.T2W_FS


@pytest.mark.parametrize(
    "content",
    ["{", "[1]", '{"role": "best"}', '{"study_date": "soon"}', '{"subject": 7}', "[" * 100_000],
)
def test_a_side_car_that_cannot_be_understood_refuses_its_image(tmp_path, content):
    write(tmp_path / "x.nii")
    (tmp_path / "x.json").write_text(content)
    (refusal,) = found(tmp_path).refusals
    assert refusal.code == "sidecar_invalid"
    assert len(refusal.files) == 2


def test_a_side_car_without_an_image_is_refused(tmp_path):
    (tmp_path / "x.json").write_text("{}")
    assert refused(tmp_path / "x.json") == "sidecar_alone"


def test_folders_become_subjects_with_visits_in_order(tmp_path):
    for visit in ("M3", "BASELINE", "D28"):
        for role in ("t2w_fs", "t1w_fs"):
            write(tmp_path / "S01" / visit / f"{role}.nii.gz")
    (subject,) = arrange(found(tmp_path).series, PROTOCOL).subjects
    assert subject.id == "S01"
    assert [v.label for v in subject.visits] == ["BASELINE", "D28", "M3"]
    assert all(v.t2w_fs and v.t1w_fs and v.study_date is None for v in subject.visits)
