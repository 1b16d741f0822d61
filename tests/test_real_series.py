"""Every real series is loaded or refused as its README and MANIFEST.tsv say.

Affines and voxels must equal those of converters the project did not write: dcm2niix (NIfTI
files, or rows of geometry with the hash of the voxels) and dicom2nifti.
"""

import csv
import hashlib
import json
from pathlib import Path

import nibabel as nib
import numpy as np
import pydicom
import pytest

from imaging.geometry import to_ras
from imaging.loaders import check_pixels, find_series
from imaging.loaders.dicom_file import read_header
from imaging.loaders.files import InputFile, walk
from imaging.loaders.mosaic import csa_fields
from imaging.loaders.pixel_data import layout_of, locate_pixels
from imaging.loaders.pixels import stored_frames
from imaging.protocol import load_protocol
from imaging.series import Role
from imaging.visits import arrange

PROTOCOL = load_protocol()
AFFINE_TOLERANCE_MM = 1e-3  # the references print six significant digits


def found(folder):
    inventory = check_pixels(find_series([folder], PROTOCOL))
    listed = [f for s in inventory.series for f in set(s.files)]
    listed += [f for r in inventory.refusals for f in r.files]
    assert set(listed) == {file.name for file in walk([folder]).files}
    return inventory


def canonical(series):
    """Return the volume as a NIfTI image in RAS order."""
    volume = series.load()
    image = nib.Nifti1Image(np.asarray(volume.array), to_ras(volume.geometry.affine))
    return nib.as_closest_canonical(image)


def assert_equals(series, reference):
    ours, theirs = canonical(series), nib.as_closest_canonical(reference)
    assert ours.shape == theirs.shape[:3]
    assert np.abs(ours.affine - theirs.affine).max() < AFFINE_TOLERANCE_MM
    assert np.array_equal(np.asarray(ours.dataobj), np.asarray(theirs.dataobj, dtype=np.float32))


def volumes_of(path):
    image = nib.load(path)
    if image.ndim == 3:
        return [image]
    return [
        nib.Nifti1Image(np.asarray(image.dataobj)[..., k], image.affine)
        for k in range(image.shape[3])
    ]


ROWS = {
    ("prostatex_0218", "t2_tse_tra"): ("prostatex_0218/t2_tse_tra.dcm", Role.T2W),
    ("prostatex_0218", "t2_tse_sag"): ("prostatex_0218/t2_tse_sag.dcm", Role.T2W),
    ("prostatex_0218", "t2_localizer_mixed"): (
        "prostatex_0218/t2_localizer_mixed.dcm",
        Role.LOCALIZER,
    ),
    ("prostatex_0218", "vibe_pre_flip2"): ("prostatex_0218/vibe_pre_flip2.dcm", Role.OTHER),
    ("prostatex_0218", "vibe_pre_flip20"): ("prostatex_0218/vibe_pre_flip20.dcm", Role.T1W),
    ("prostatex_0218", "twist_27"): ("prostatex_0218/twist_27.dcm", Role.POST_CONTRAST),
    ("prostatex_0218", "twist_40"): ("prostatex_0218/twist_40.dcm", Role.POST_CONTRAST),
    ("prostatex_0218", "twist_62"): ("prostatex_0218/twist_62.dcm", Role.POST_CONTRAST),
    ("uta4_t1spair_p3", "t1_fl3d_tra_spair"): (
        "uta4_t1spair_p3/t1_fl3d_tra_spair.dcm",
        Role.POST_CONTRAST,
    ),
    ("dcm_qa_patient_position", "HFS"): ("dcm_qa_patient_position/HFS_t1_fl2d_sag.dcm", Role.T1W),
    ("dcm_qa_patient_position", "HFDL"): ("dcm_qa_patient_position/HFDL_t1_fl2d_sag.dcm", Role.T1W),
}


def reference_rows(real_data, key):
    path = real_data / "dcm2niix_reference" / "dcm2niix_v1.0.20220720.tsv"
    with path.open(encoding="utf-8", newline="") as file:
        return [r for r in csv.DictReader(file, delimiter="\t") if (r["name"], r["series"]) == key]


@pytest.mark.parametrize("key", ROWS, ids=lambda key: key[1])
def test_affine_and_voxels_equal_the_rows_of_dcm2niix(real_data, unpack, key):
    archive, role = ROWS[key]
    inventory = found(unpack(archive))
    rows = reference_rows(real_data, key)
    assert inventory.refusals == ()
    assert len(inventory.series) == len(rows) == (3 if role is Role.LOCALIZER else 1)
    ours = {}
    for series in inventory.series:
        assert series.role is role
        image = canonical(series)
        voxels = np.ascontiguousarray(np.round(np.asarray(image.dataobj))).astype("<i4")
        ours[hashlib.sha256(voxels.tobytes()).hexdigest()] = image.affine
    for row in rows:
        affine = np.array(row["canonical_affine_3x4"].split(), float).reshape(3, 4)
        assert np.abs(ours[row["sha256_of_canonical_RAS_int32le_C_order"]][:3] - affine).max() < (
            AFFINE_TOLERANCE_MM
        )


def test_every_row_of_the_reference_is_tested(real_data):
    path = real_data / "dcm2niix_reference" / "dcm2niix_v1.0.20220720.tsv"
    with path.open(encoding="utf-8", newline="") as file:
        assert {(r["name"], r["series"]) for r in csv.DictReader(file, delimiter="\t")} == set(ROWS)


@pytest.mark.parametrize(
    "name",
    [
        "dcm_qa_enhanced/siemens_xa10_enhanced",
        "dcm_qa_ge/01_Ax_DWI_TENSOR_R2",
        "dcm_qa_siemens_mosaic/AxAsc36mb2a",
        "dcm_qa_siemens_mosaic/axasc36",
        "dcm_qa_siemens_mosaic/corint36",
    ],
)
def test_volumes_of_one_series_equal_those_of_dcm2niix_in_order(unpack, name):
    folder = unpack(name)
    inventory = found(folder / "In")
    references = volumes_of(next((folder / "Ref").glob("*.nii")))
    assert inventory.refusals == ()
    assert len(inventory.series) == len(references)
    for series, reference in zip(inventory.series, references, strict=True):
        assert_equals(series, reference)


@pytest.mark.parametrize(
    ("name", "role"), [("ukat_ge_fatsat", Role.T1W_FS), ("ukat_ge_nofatsat", Role.T1W)]
)
def test_echoes_and_components_of_one_ge_series_equal_dcm2niix_and_headers_give_the_role(
    unpack, name, role
):
    inventory = found(unpack(f"{name}/series.dcm"))
    assert inventory.refusals == ()
    assert len(inventory.series) == 6
    order = ("MAGNITUDE", "REAL", "IMAGINARY")
    ours = {(s.info.echo_time_ms, s.info.component): s for s in inventory.series}
    for path in sorted(unpack(f"{name}/dcm2niix_ref").glob("*.nii")):
        echo = round(1000 * json.loads(path.with_suffix(".json").read_text())["EchoTime"], 3)
        for component, reference in zip(order, volumes_of(path), strict=True):
            assert_equals(ours[(echo, component)], reference)
    assert {s.role for (_, part), s in ours.items() if part == "MAGNITUDE"} == {role}
    assert {s.role for (_, part), s in ours.items() if part != "MAGNITUDE"} == {Role.OTHER}


@pytest.mark.parametrize(
    "name",
    [
        "ge_anatomical_001", "generic_compressed_j2k_001", "generic_compressed_jpeg_001",
        "generic_compressed_rle_001", "hyperfine_anatomical_001", "philips_anatomical_001",
        "siemens_anatomical_001", "siemens_multiframe_anatomical_001",
    ],
)  # fmt: skip
def test_series_of_four_vendors_equal_dicom2nifti(unpack, name):
    folder = unpack(f"dicom2nifti/{name}")
    (series,) = found(folder / "dicom").series
    assert_equals(series, nib.load(folder / "ref" / "001_ground_truth.nii.gz"))


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("dicom2nifti/failing_gantrytilting_001", "not_mr"),
        ("dicom2nifti/failing_sliceincrement_001", "not_mr"),
        ("dicom2nifti/failing_slicecount_001", "slices_few"),
        ("dicom2nifti/ge_anatomical_001_single_slice", "slices_few"),
        ("prostatex_missing_slice/hbv_missing_slice.dcm", "slices_missing"),
        ("uta4_t1spair_p3/us_same_folder.dcm", "not_mr"),
    ],
)
def test_stacks_that_are_no_volume_are_refused_in_one_line(unpack, name, code):
    folder = unpack(name)
    inventory = found(folder / "dicom" if (folder / "dicom").exists() else folder)
    assert inventory.series == ()
    assert [r.code for r in inventory.refusals] == [code]


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("failing_gantrytilting_001", "stack_sheared"),
        ("failing_sliceincrement_001", "slices_missing"),
    ],
)
def test_tilted_and_incomplete_stacks_would_be_refused_as_mr_too(unpack, tmp_path, name, code):
    """They are CT; made MR, geometry must refuse them (increments 5.0, 5.0 and 10.0 mm)."""
    for path in (unpack(f"dicom2nifti/{name}") / "dicom").iterdir():
        content = path.read_bytes().replace(b"CS\x02\x00CT", b"CS\x02\x00MR")
        content = content.replace(b"1.2.840.10008.5.1.4.1.1.2\0", b"1.2.840.10008.5.1.4.1.1.4\0")
        (tmp_path / path.name).write_bytes(content)
    inventory = found(tmp_path)
    assert inventory.series == ()
    assert [r.code for r in inventory.refusals] == [code]


def test_the_missing_slice_is_named_with_its_distance(unpack):
    (refusal,) = found(unpack("prostatex_missing_slice/hbv_missing_slice.dcm")).refusals
    assert "6.0 mm instead of 3.0 mm" in refusal.message
    assert len(refusal.files) == 18


def test_one_multiframe_image_in_four_transfer_syntaxes_decodes_to_the_same_values(unpack):
    decoded = []
    for path in sorted((unpack("pydicom_data/enhanced_mr_codecs")).rglob("*.dcm")):
        file = InputFile(str(path))
        header = read_header(file)
        data = locate_pixels(header, layout_of(header.attributes, file))
        decoded.append(np.stack(list(stored_frames(data, range(10)))))
    assert len(decoded) == 4
    assert all(np.array_equal(decoded[0], other) for other in decoded[1:])
    assert decoded[0].max() > 0


def test_one_large_image_uncompressed_and_jpeg_2000_decodes_to_the_same_values(unpack):
    decoded = []
    for path in sorted((unpack("pydicom_data/mr2_codecs")).rglob("*.dcm")):
        file = InputFile(str(path))
        header = read_header(file)
        data = locate_pixels(header, layout_of(header.attributes, file))
        decoded.append(next(iter(stored_frames(data, [0]))))
    assert decoded[0].shape == (1024, 1024)
    assert np.array_equal(*decoded)


def test_odd_files_are_each_refused_in_one_line(unpack):
    codes = {Path(r.source).name: r.code for r in found(unpack("pydicom_data/odd_files")).refusals}
    assert codes == {
        "bad_sequence.dcm": "not_mr",
        "emri_small_jpeg_2k_lossless_too_short.dcm": "pixels_cut",
        "explicit_VR-UN.dcm": "not_mr",
        "liver.dcm": "not_mr",
    }


def test_an_ultrasound_beside_the_mr_does_not_stop_it(unpack, tmp_path):
    for name in ("t1_fl3d_tra_spair.dcm", "us_same_folder.dcm"):
        (tmp_path / name).symlink_to(unpack(f"uta4_t1spair_p3/{name}"))
    inventory = find_series(sorted(tmp_path.iterdir()), PROTOCOL)
    assert [s.geometry.shape for s in inventory.series] == [(352, 352, 176)]
    assert [r.code for r in inventory.refusals] == ["not_mr"]
    (series,) = inventory.series
    assert any("SFS" in sentence for sentence in series.decision.evidence)


def test_all_prostate_series_together_are_one_subject_without_fat_suppression(unpack):
    names = {archive for archive, _ in ROWS.values() if archive.startswith("prostatex_0218")}
    inventory = find_series([unpack(name) for name in names], PROTOCOL)
    assert len(inventory.series) == 10
    (refusal,) = arrange(inventory.series, PROTOCOL).refusals
    assert refusal.code == "visit_without_endpoint"


def test_of_one_acquisition_in_three_formats_only_nifti_is_trusted(unpack):
    inventory = found(unpack("renal_t2spir_coronal/test_sub_01"))
    assert [s.geometry.shape for s in inventory.series] == [(240, 240, 13)]
    codes = sorted(r.code for r in inventory.refusals)
    assert codes == ["analyze", "analyze", "par_rec", "par_rec"]


NIFTI = (
    "chaos_t2spir", "ibsi", "longitudinal_ms_p01", "longitudinal_ms_p12", "musclemap_trunk",
    "qmritools_leg_dixon", "totalsegmentator_mr",
)  # fmt: skip


@pytest.mark.parametrize("name", NIFTI)
def test_every_nifti_file_loads_with_the_voxels_and_affine_nibabel_gives(real_data, name):
    inventory = find_series([real_data / name], PROTOCOL)
    paths = sorted(str(p) for p in (real_data / name).rglob("*.nii.gz"))
    assert sorted(s.files[0] for s in inventory.series) == paths
    assert {r.code for r in inventory.refusals} <= {"not_an_image"}
    for series in inventory.series:
        reference = nib.load(series.files[0])
        assert np.allclose(to_ras(series.geometry.affine), reference.affine, atol=1e-6)
        voxels = np.asarray(reference.dataobj, dtype=np.float32)
        assert np.array_equal(series.load().array, voxels)


def test_a_chaos_volume_named_by_the_convention_is_a_t2w_fs_baseline(real_data, tmp_path):
    target = tmp_path / "CHAOS1" / "BASELINE" / "t2w_fs.nii.gz"
    target.parent.mkdir(parents=True)
    target.symlink_to(real_data / "chaos_t2spir" / "image_1.nii.gz")
    (subject,) = arrange(find_series([tmp_path], PROTOCOL).series, PROTOCOL).subjects
    assert subject.id == "CHAOS1"
    assert subject.visits[0].t2w_fs.geometry.spacing_mm == pytest.approx((1.25, 1.25, 7.7))


def test_the_whole_data_folder_is_accounted_for(real_data):
    inventory = find_series([real_data], PROTOCOL)
    listed = [f for s in inventory.series for f in s.files]
    listed += [f for r in inventory.refusals for f in r.files]
    assert sorted(listed) == [file.name for file in walk([real_data]).files]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"SV10", b"SVXX"),
        (b"NumberOfImagesInMosaic", b"NumberOfImagesInMosaiX"),
        (b"SliceNormalVector", b"SliceNormalVectoX"),
    ],
)
def test_a_mosaic_whose_private_header_does_not_place_its_slices_is_refused(
    unpack, tmp_path, before, after
):
    for path in (unpack("dcm_qa_siemens_mosaic/axasc36") / "In").iterdir():
        content = path.read_bytes()
        assert before in content
        (tmp_path / path.name).write_bytes(content.replace(before, after))
    inventory = found(tmp_path)
    assert inventory.series == ()
    assert [r.code for r in inventory.refusals] == ["mosaic_layout"]


def test_a_mosaic_without_its_position_is_refused(unpack, tmp_path):
    for path in (unpack("dcm_qa_siemens_mosaic/axasc36") / "In").iterdir():
        ds = pydicom.dcmread(path)
        del ds.ImagePositionPatient
        ds.save_as(tmp_path / path.name)
    assert [r.code for r in found(tmp_path).refusals] == ["mosaic_layout"]


def test_a_private_header_cut_short_gives_the_fields_before_the_cut(unpack):
    path = next((unpack("dcm_qa_siemens_mosaic/axasc36") / "In").iterdir())
    raw = pydicom.dcmread(path)[0x0029, 0x1010].value
    whole, cut = csa_fields(raw), csa_fields(raw[:2000])
    assert whole["NumberOfImagesInMosaic"] == (36,)
    assert 0 < len(cut) < len(whole)
