"""Masks drawn elsewhere, as DICOM SEG or RTSTRUCT: put in their place, or refused with why."""

import subprocess
from dataclasses import replace
from itertools import product

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
from dicom_results import PROTOCOL, directions, random_outlines, series_in, write_series
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian
from test_dicom_segmentation import BIN, exported

from imaging.errors import MaskError
from imaging.geometry import Geometry
from imaging.guidance import Guidance
from imaging.loaders import mask_seg
from imaging.loaders.mask_file import load_mask
from imaging.loaders.mask_target import MaskTarget
from imaging.visit import Subject
from surveillance.exports.dicom.segmentation import SegmentationType
from surveillance.fingerprint import subject_fingerprint
from surveillance.guidance import parse_guidance

RTSTRUCT = "1.2.840.10008.5.1.4.1.1.481.3"
SQUARE = ((2, 1), (5, 1), (5, 4), (2, 4))
"""Columns and rows: on the centres of a square of 4 by 4 pixels."""


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    """A segmentation of three segments, its target, and the masks it was made of."""
    folder = tmp_path_factory.mktemp("drawn")
    write_series(folder / "images")
    series = series_in(folder / "images")
    outlines = random_outlines(series.geometry)
    file, _ = exported(series, outlines, folder)
    return file, MaskTarget(series.geometry, series.info.uid), outlines


def changed(file, folder, change):
    """Write a copy of a DICOM file after `change(ds)`."""
    ds = pydicom.dcmread(file)
    change(ds)
    ds.save_as(folder / "changed.dcm")
    return folder / "changed.dcm"


def refusal(file, target, region=None):
    with pytest.raises(MaskError) as refused:
        load_mask(file, target, region)
    return refused.value


# --- segmentations ---------------------------------------------------------------------------


def test_a_segment_is_found_by_number_by_label_and_as_the_one_called_graft(drawn):
    file, target, outlines = drawn
    for region in (None, "1", "graft", "GRAFT"):
        assert np.array_equal(load_mask(file, target, region).array, outlines.graft.array)
    left = load_mask(file, target, "left rectus ABDOMINIS")
    assert np.array_equal(left.array, outlines.rectus_left.array)


def test_a_segmentation_made_by_dcmqi_is_put_in_its_place(tmp_path):
    (tmp_path / "images").mkdir()
    files = write_series(tmp_path / "images", directions((-1, 1, -1), (5.0, 0.0, 15.0)))
    series = series_in(tmp_path / "images")
    graft = random_outlines(series.geometry).graft
    volume = sitk.ReadImage(sitk.ImageSeriesReader.GetGDCMSeriesFileNames(str(tmp_path / "images")))
    array = np.zeros(volume.GetSize()[::-1], dtype=np.uint8)
    for point in graft.points_mm:
        i, j, k = volume.TransformPhysicalPointToIndex(point.tolist())
        array[k, j, i] = 1
    image = sitk.GetImageFromArray(array)
    image.CopyInformation(volume)
    sitk.WriteImage(image, tmp_path / "graft.nrrd")
    (tmp_path / "meta.json").write_text(DCMQI_META)
    subprocess.run(
        [
            BIN / "itkimage2segimage", "--inputImageList", tmp_path / "graft.nrrd",
            "--inputDICOMList", ",".join(map(str, files)), "--inputMetadata",
            tmp_path / "meta.json", "--outputDICOM", tmp_path / "theirs.dcm", "--skip", "1",
        ],
        check=True, capture_output=True,
    )  # fmt: skip
    target = MaskTarget(series.geometry, series.info.uid)
    assert np.array_equal(load_mask(tmp_path / "theirs.dcm", target).array, graft.array)


DCMQI_META = """{
  "ContentCreatorName": "Reader1", "SeriesDescription": "Segmentation", "SeriesNumber": "300",
  "InstanceNumber": "1",
  "segmentAttributes": [[{
    "labelID": 1, "SegmentDescription": "graft", "SegmentLabel": "graft",
    "SegmentAlgorithmType": "MANUAL",
    "SegmentedPropertyCategoryCodeSequence":
      {"CodeValue": "85756007", "CodingSchemeDesignator": "SCT", "CodeMeaning": "Tissue"},
    "SegmentedPropertyTypeCodeSequence":
      {"CodeValue": "85756007", "CodingSchemeDesignator": "SCT", "CodeMeaning": "Tissue"}
  }]]
}"""


def _other_frame(ds):
    ds.FrameOfReferenceUID = "1.2.3.4"


def _no_frame(ds):
    del ds.FrameOfReferenceUID


def _other_series(ds):
    ds.ReferencedSeriesSequence[0].SeriesInstanceUID = "1.2.3.4"


def _fractional(ds):
    ds.SegmentationType = "FRACTIONAL"


def _shifted(ds):
    for frame in ds.PerFrameFunctionalGroupsSequence:
        x, y, z = frame.PlanePositionSequence[0].ImagePositionPatient
        frame.PlanePositionSequence[0].ImagePositionPatient = [x + 1, y, z]


def _between_slices(ds):
    for frame in ds.PerFrameFunctionalGroupsSequence:
        x, y, z = frame.PlanePositionSequence[0].ImagePositionPatient
        frame.PlanePositionSequence[0].ImagePositionPatient = [x, y, z + 1]


def _beyond_the_last_slice(ds):
    for frame in ds.PerFrameFunctionalGroupsSequence:
        x, y, z = frame.PlanePositionSequence[0].ImagePositionPatient
        frame.PlanePositionSequence[0].ImagePositionPatient = [x, y, z + 400]


def _finer(ds):
    ds.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0].PixelSpacing = [1, 0.75]


def _mirrored(ds):
    """The same rectangle entered from its other side: rows run right to left."""
    shared = ds.SharedFunctionalGroupsSequence[0]
    shared.PlaneOrientationSequence[0].ImageOrientationPatient = [-1, 0, 0, 0, 1, 0]
    for frame in ds.PerFrameFunctionalGroupsSequence:
        x, y, z = frame.PlanePositionSequence[0].ImagePositionPatient
        frame.PlanePositionSequence[0].ImagePositionPatient = [x + 7 * 1.5, y, z]


def _other_matrix(ds):
    ds.Rows, ds.Columns = 8, 6


def _empty(ds):
    ds.PixelData = b"\0" * len(ds.PixelData)


def _cut_short(ds):
    ds.PixelData = ds.PixelData[:4]


def _a_frame_too_many(ds):
    ds.NumberOfFrames += 1


def _placeless(ds):
    del ds.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence


def _no_graft(ds):
    ds.SegmentSequence[0].SegmentLabel = "lesion"


def _two_grafts(ds):
    for item in ds.SegmentSequence:
        item.SegmentLabel = "Graft"


def _secondary_capture(ds):
    ds.SOPClassUID, ds.Modality = "1.2.840.10008.5.1.4.1.1.7", "OT"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (_other_frame, "mask_other_frame"),
        (_no_frame, "mask_other_frame"),
        (_other_series, "mask_other_series"),
        (_fractional, "mask_fractional"),
        (_shifted, "mask_grid"),
        (_between_slices, "mask_grid"),
        (_beyond_the_last_slice, "mask_grid"),
        (_finer, "mask_grid"),
        (_mirrored, "mask_flipped"),
        (_other_matrix, "mask_shape"),
        (_empty, "mask_empty"),
        (_cut_short, "mask_damaged"),
        (_a_frame_too_many, "mask_damaged"),
        (_placeless, "mask_damaged"),
        (_no_graft, "mask_region"),
        (_two_grafts, "mask_region"),
        (_secondary_capture, "mask_kind"),
    ],
)
def test_a_segmentation_that_does_not_fit_is_refused(drawn, tmp_path, change, code):
    file, target, _ = drawn
    assert refusal(changed(file, tmp_path, change), target).code == code


def test_a_refusal_names_the_segments_that_are_there(drawn):
    file, target, _ = drawn
    message = str(refusal(file, target, "liver"))
    assert "'liver'" in message
    assert "1 'Graft', 2 'Left rectus abdominis'" in message


def test_more_voxels_than_any_image_has_are_not_decoded(drawn, monkeypatch):
    monkeypatch.setattr(mask_seg, "VOXELS_MAX", 100)
    assert refusal(*drawn[:2]).code == "mask_damaged"


def test_an_image_that_is_no_dicom_has_no_frame_or_series_to_compare(drawn, tmp_path):
    file, target, outlines = drawn
    nameless = MaskTarget(replace(target.grid, frame_of_reference=None), "scan.nii.gz")
    for change in (_other_frame, _other_series):
        mask = load_mask(changed(file, tmp_path, change), nameless)
        assert np.array_equal(mask.array, outlines.graft.array)


def test_a_region_of_a_file_that_has_none_cannot_be_named(drawn, tmp_path):
    (tmp_path / "graft.nii").write_bytes(b"n+1")
    assert refusal(tmp_path / "graft.nii", drawn[1], "2").code == "mask_region_nifti"


@pytest.mark.parametrize("damage", [b"\xff" * 40, b"\x02\x00\x00\x00UL\x04\x00\xff"])
def test_a_damaged_dicom_file_is_refused(drawn, tmp_path, damage):
    (tmp_path / "damaged.dcm").write_bytes(drawn[0].read_bytes()[:132] + damage)
    assert refusal(tmp_path / "damaged.dcm", drawn[1]).code == "mask_damaged"


def test_a_label_map_is_read_by_label(tmp_path):
    write_series(tmp_path / "images")
    series = series_in(tmp_path / "images")
    outlines = random_outlines(series.geometry)
    file, _ = exported(series, outlines, tmp_path, SegmentationType.LABELMAP)
    found = load_mask(file, MaskTarget(series.geometry, series.info.uid))
    assert np.array_equal(found.array, outlines.graft.array)


def test_a_region_is_named_behind_the_file_which_may_hold_that_sign_itself(tmp_path):
    (tmp_path / "a#b.dcm").write_bytes(b"")
    whole, part = f"D28:{tmp_path}/a#b.dcm", f"M3:{tmp_path}/a#b.dcm#graft site"
    guidance = parse_guidance((), (whole, part))
    assert guidance.masks["D28"] == guidance.masks["M3"] == tmp_path / "a#b.dcm"
    assert dict(guidance.regions) == {"M3": "graft site"}


def test_another_region_of_the_same_file_is_another_input():
    prints = {
        subject_fingerprint(Subject("S01", ()), PROTOCOL, Guidance(regions=regions))
        for regions in ({}, {"D28": "1"}, {"D28": "2"})
    }
    assert len(prints) == 3


# --- structure sets --------------------------------------------------------------------------


def grid_of(signs=(1, 1, 1), degrees=(0.0, 0.0, 0.0)):
    affine = np.eye(4)
    affine[:3, :3] = directions(signs, degrees) * np.array([1.5, 2.0, 4.0])
    affine[:3, 3] = (-10.0, -20.0, 30.0)
    return Geometry(affine, (8, 6, 4), "1.2.3.4.5")


GRID = grid_of()
TARGET = MaskTarget(GRID, "1.2.3")


def item(**values):
    ds = Dataset()
    for name, value in values.items():
        setattr(ds, name, value)
    return ds


def contour(k, *polygon, kind="CLOSED_PLANAR", grid=GRID):
    points = grid.to_world([(i, j, k) for i, j in polygon])
    data = [f"{x:.6f}"[:16] for x in points.ravel()]
    return item(ContourGeometricType=kind, ContourData=data, NumberOfContourPoints=len(points))


def structure_set(folder, *contours, names=("graft",), frame="1.2.3.4.5", series="1.2.3"):
    """Write an RTSTRUCT whose first ROI has the contours."""
    meta = FileMetaDataset()
    meta.TransferSyntaxUID, meta.MediaStorageSOPClassUID = ExplicitVRLittleEndian, RTSTRUCT
    meta.MediaStorageSOPInstanceUID = "1.2.3.9"
    ds = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    ds.SOPClassUID, ds.SOPInstanceUID, ds.Modality = RTSTRUCT, "1.2.3.9", "RTSTRUCT"
    study = item(RTReferencedSeriesSequence=[item(SeriesInstanceUID=series)])
    ds.ReferencedFrameOfReferenceSequence = [
        item(FrameOfReferenceUID=frame, RTReferencedStudySequence=[study])
    ]
    ds.StructureSetROISequence = [
        item(ROINumber=n, ROIName=name, ReferencedFrameOfReferenceUID=frame)
        for n, name in enumerate(names, start=1)
    ]
    ds.ROIContourSequence = [
        item(ReferencedROINumber=2, ContourSequence=[contour(0, (0, 0), (1, 0), (0, 1))]),
        item(ReferencedROINumber=1, ContourSequence=list(contours)),
    ]
    ds.save_as(folder / "rtstruct.dcm", enforce_file_format=True)
    return folder / "rtstruct.dcm"


def slice_of(folder, k, *contours, grid=GRID):
    """Return slice `k` of the mask of these contours as rows of text; # is inside."""
    file = structure_set(folder, *contours)
    array = load_mask(file, MaskTarget(grid, "1.2.3")).array
    assert not array[:, :, [s for s in range(array.shape[2]) if s != k]].any()
    return ["".join(".#"[int(v)] for v in row) for row in array[:, :, k].T]


def test_a_contour_through_pixel_centres_includes_them(tmp_path):
    assert slice_of(tmp_path, 2, contour(2, *SQUARE)) == [
        "........",
        "..####..",
        "..####..",
        "..####..",
        "..####..",
        "........",
    ]


def test_a_contour_along_pixel_edges_includes_what_it_surrounds(tmp_path):
    around = ((1.5, 0.5), (5.5, 0.5), (5.5, 4.5), (1.5, 4.5))
    centres = slice_of(tmp_path, 1, contour(1, *SQUARE))
    assert slice_of(tmp_path, 1, contour(1, *around)) == centres


def test_a_pixel_whose_centre_is_outside_does_not_belong(tmp_path):
    just_short = ((2.01, 1), (5, 1), (5, 4), (2.01, 4))
    assert slice_of(tmp_path, 1, contour(1, *just_short))[1] == "...###.."


def test_a_slanted_edge_includes_the_centres_it_touches(tmp_path):
    triangle = ((1, 1), (4, 1), (4, 4))
    assert slice_of(tmp_path, 0, contour(0, *triangle)) == [
        "........",
        ".####...",
        "..###...",
        "...##...",
        "....#...",
        "........",
    ]


@pytest.mark.parametrize("kind", ["CLOSED_PLANAR", "CLOSEDPLANAR_XOR"])
def test_a_contour_inside_another_is_a_hole(tmp_path, kind):
    outer = ((0.5, 0.5), (6.5, 0.5), (6.5, 5.4), (0.5, 5.4))
    hole = ((2.5, 1.5), (4.5, 1.5), (4.5, 3.5), (2.5, 3.5))
    assert slice_of(tmp_path, 3, contour(3, *outer, kind=kind), contour(3, *hole, kind=kind)) == [
        "........",
        ".######.",
        ".##..##.",
        ".##..##.",
        ".######.",
        ".######.",
    ]


def test_a_hole_drawn_as_a_keyhole_is_the_same_hole(tmp_path):
    keyhole = (
        (0.5, 0.5), (6.5, 0.5), (6.5, 5.4), (0.5, 5.4), (0.5, 0.5),
        (2.5, 1.5), (2.5, 3.5), (4.5, 3.5), (4.5, 1.5), (2.5, 1.5),
    )  # fmt: skip
    assert slice_of(tmp_path, 3, contour(3, *keyhole))[2:4] == [".##..##."] * 2


def test_two_contours_side_by_side_are_both_inside(tmp_path):
    apart = (contour(0, (0, 0), (1, 0), (1, 1), (0, 1)), contour(0, (5, 3), (6, 3), (6, 4), (5, 4)))
    assert slice_of(tmp_path, 0, *apart) == [
        "##......",
        "##......",
        "........",
        ".....##.",
        ".....##.",
        "........",
    ]


@pytest.mark.parametrize("signs", list(product((1, -1), repeat=3)))
def test_contours_are_placed_on_any_grid(tmp_path, signs):
    grid = grid_of(signs, (10.0, -20.0, 30.0))
    here = contour(1, *SQUARE, grid=grid)
    assert slice_of(tmp_path, 1, here, grid=grid)[1:5] == ["..####.."] * 4


def test_a_region_is_chosen_by_name_or_number(tmp_path):
    file = structure_set(tmp_path, contour(1, *SQUARE), names=("Graft site", "liver"))
    graft, liver = load_mask(file, TARGET), load_mask(file, TARGET, "liver")
    assert (graft.voxels, liver.voxels) == (16, 3)
    assert np.array_equal(load_mask(file, TARGET, "2").array, liver.array)


def test_slices_without_a_contour_stay_empty(tmp_path):
    file = structure_set(tmp_path, contour(0, *SQUARE), contour(2, *SQUARE))
    assert load_mask(file, TARGET).array.any(axis=(0, 1)).tolist() == [True, False, True, False]


@pytest.mark.parametrize(
    ("contours", "changes", "code"),
    [
        ([contour(1, *SQUARE)], {"frame": "9.9"}, "mask_other_frame"),
        ([contour(1, *SQUARE)], {"series": "9.9"}, "mask_other_series"),
        ([contour(1, *SQUARE)], {"names": ("liver", "spleen")}, "mask_region"),
        ([contour(1, *SQUARE, kind="OPEN_PLANAR")], {}, "mask_contour_kind"),
        ([contour(1, *SQUARE[:1], kind="POINT")], {}, "mask_contour_kind"),
        ([contour(1, *SQUARE[:2])], {}, "mask_damaged"),
        ([contour(1.2, *SQUARE)], {}, "mask_off_plane"),
        ([contour(7, *SQUARE)], {}, "mask_contour_outside"),
        ([contour(1, (-2, 1), (5, 1), (5, 4))], {}, "mask_contour_outside"),
        ([], {}, "mask_empty"),
        ([contour(1, (2.2, 1.2), (2.8, 1.2), (2.5, 1.8))], {}, "mask_empty"),
    ],
)
def test_a_structure_set_that_does_not_fit_is_refused(tmp_path, contours, changes, code):
    assert refusal(structure_set(tmp_path, *contours, **changes), TARGET).code == code


def test_a_contour_that_leaves_its_slice_is_refused(tmp_path):
    tilted = item(
        ContourGeometricType="CLOSED_PLANAR",
        ContourData=[str(x) for x in GRID.to_world([(2, 1, 1), (5, 1, 1), (5, 4, 1.5)]).ravel()],
    )
    assert refusal(structure_set(tmp_path, tilted), TARGET).code == "mask_off_plane"
