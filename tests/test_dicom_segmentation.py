"""A segmentation lies where its images lie, for readers that share no code with its writer."""

import subprocess
import sys
import tempfile
from itertools import product
from pathlib import Path

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
from dicom_files import save
from dicom_results import (
    PROTOCOL,
    directions,
    random_outlines,
    record_of,
    series_in,
    visit_dict,
    write_series,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from test_dicom_enhanced import ECHO, T2, enhanced, group

from imaging.errors import SeriesError
from imaging.loaders import find_series
from imaging.loaders.mask_file import load_mask
from imaging.loaders.mask_target import MaskTarget
from imaging.volume import Mask
from surveillance.exports.dicom.instance import save_instance
from surveillance.exports.dicom.segmentation import (
    Outlines,
    SegmentationType,
    segmentation,
)
from surveillance.exports.dicom.source import source_of

BIN = Path(sys.executable).parent
SIGNS = tuple(product((1, -1), repeat=3))
VISIT = visit_dict()
RECORD = record_of(VISIT)


def complaints(file):
    """Return what dciodvfy calls an error."""
    done = subprocess.run([BIN / "dciodvfy", file], capture_output=True, text=True, check=False)
    return [line for line in done.stderr.splitlines() if line.startswith("Error")]


def exported(series, outlines, folder, kind=SegmentationType.BINARY, visit=0):
    made = segmentation(source_of(series), outlines, RECORD, RECORD.visits[visit], kind)
    save_instance(made.instance, folder / "segmentation.dcm")
    return folder / "segmentation.dcm", made


def points_by_hand(file, segment):
    """LPS mm of a segment's voxels, from raw bits and each frame's own attributes alone."""
    ds = pydicom.dcmread(file)
    bits = np.unpackbits(np.frombuffer(ds.PixelData, np.uint8), bitorder="little")
    frames = bits[: ds.NumberOfFrames * ds.Rows * ds.Columns].reshape(-1, ds.Rows, ds.Columns)
    shared = ds.SharedFunctionalGroupsSequence[0]
    across = np.array(shared.PlaneOrientationSequence[0].ImageOrientationPatient, dtype=float)
    down_mm, along_mm = (float(x) for x in shared.PixelMeasuresSequence[0].PixelSpacing)
    found = []
    for pixels, groups in zip(frames, ds.PerFrameFunctionalGroupsSequence, strict=True):
        if groups.SegmentIdentificationSequence[0].ReferencedSegmentNumber != segment:
            continue
        corner = np.array(groups.PlanePositionSequence[0].ImagePositionPatient, dtype=float)
        for row, column in np.argwhere(pixels):
            found.append(corner + column * along_mm * across[:3] + row * down_mm * across[3:])
    return np.array(found)


def voxels_by_simpleitk(points_mm, files):
    """Voxels of SimpleITK's own reading of the images, as a set of their raw values and places."""
    ordered = sitk.ImageSeriesReader.GetGDCMSeriesFileNames(str(files[0].parent))
    volume = sitk.ReadImage(ordered)
    return {volume.TransformPhysicalPointToIndex(point.tolist()) for point in points_mm}, volume


@pytest.mark.parametrize("signs", SIGNS)
def test_dcmqi_finds_every_segment_on_the_grid_of_its_images(tmp_path, signs):
    (tmp_path / "images").mkdir()
    write_series(tmp_path / "images", directions(signs, (11.0, -7.0, 23.0)))
    series = series_in(tmp_path / "images")
    outlines = random_outlines(series.geometry)
    file, _ = exported(series, outlines, tmp_path)
    reader = [BIN / "segimage2itkimage", "--inputDICOM", file, "--outputDirectory", tmp_path]
    subprocess.run([*reader, "-t", "nrrd"], check=True, capture_output=True)
    for number, mask in enumerate((outlines.graft, outlines.rectus_left, outlines.rectus_right), 1):
        read = sitk.ReadImage(tmp_path / f"{number}.nrrd")
        voxels = sitk.GetArrayFromImage(read)
        found = [
            read.TransformIndexToPhysicalPoint((int(i), int(j), int(k)))
            for k, j, i in np.argwhere(voxels)
        ]
        assert sorted_points(found) == pytest.approx(sorted_points(mask.points_mm), abs=1e-3)


def sorted_points(points):
    array = np.round(np.asarray(points, dtype=float), 2)
    return np.asarray(points)[np.lexsort(array.T)]


@given(
    signs=st.sampled_from(SIGNS),
    degrees=st.tuples(*[st.floats(-40, 40)] * 3),
    seed=st.integers(0, 2**16),
)
@settings(max_examples=24, deadline=None)
def test_what_goes_out_comes_back_with_the_same_affine_and_voxels(signs, degrees, seed):
    with tempfile.TemporaryDirectory() as folder:
        files = write_series(Path(folder, "images"), directions(signs, degrees))
        series = series_in(Path(folder, "images"))
        grid, outlines = series.geometry, random_outlines(series.geometry, seed)
        file, _ = exported(series, outlines, Path(folder))
        target = MaskTarget(grid, series.info.uid)
        masks = {"graft": outlines.graft, "2": outlines.rectus_left, "3": outlines.rectus_right}
        for region, mask in masks.items():
            assert np.array_equal(load_mask(file, target, region).array, mask.array)
        by_hand = points_by_hand(file, 1)
        assert sorted_points(by_hand) == pytest.approx(
            sorted_points(outlines.graft.points_mm), abs=1e-3
        )
        theirs, volume = voxels_by_simpleitk(by_hand, files)
        axes = np.array(volume.GetDirection()).reshape(3, 3)
        flipped = float(axes[:, 2] @ grid.directions[:, 2]) < 0
        last = grid.shape[2] - 1
        ours = {
            (int(i), int(j), int(last - k if flipped else k))
            for i, j, k in np.argwhere(outlines.graft.array)
        }
        assert theirs == ours
        measures = pydicom.dcmread(file).SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0]
        i_mm, j_mm, k_mm = grid.spacing_mm
        assert [float(x) for x in measures.PixelSpacing] == pytest.approx([j_mm, i_mm])
        assert float(measures.SpacingBetweenSlices) == pytest.approx(k_mm)


@pytest.mark.parametrize("kind", list(SegmentationType))
def test_dciodvfy_has_no_error_to_tell(tmp_path, kind):
    write_series(tmp_path / "images")
    series = series_in(tmp_path / "images")
    file, _ = exported(series, random_outlines(series.geometry), tmp_path, kind)
    assert complaints(file) == []


def test_a_label_map_gives_a_voxel_of_graft_to_the_graft_alone(tmp_path):
    write_series(tmp_path / "images")
    series = series_in(tmp_path / "images")
    outlines = random_outlines(series.geometry)
    file, _ = exported(series, outlines, tmp_path, SegmentationType.LABELMAP)
    target = MaskTarget(series.geometry, series.info.uid)
    graft, left = load_mask(file, target, "graft"), load_mask(file, target, "2")
    assert np.array_equal(graft.array, outlines.graft.array)
    assert np.array_equal(left.array, outlines.rectus_left.array & ~outlines.graft.array)


def test_frames_of_an_enhanced_image_are_named_as_the_file_names_them(tmp_path):
    # Two echoes in one file, slice by slice: the T2W-FS is its frames 2, 4, 6.
    proton = group("MREchoSequence", EffectiveEchoTime=20.0)
    frames = [(z, z, echo) for z in (0, 4, 8) for echo in (proton, ECHO)]
    ds = enhanced(frames, **T2)
    save(ds, tmp_path / "images" / "enhanced")
    both = find_series([tmp_path / "images"], PROTOCOL).series
    (series,) = [s for s in both if s.info.echo_time_ms == 80]
    full = Mask(np.ones(series.geometry.shape, dtype=np.bool_), series.geometry)
    file, made = exported(series, Outlines(full, full, full), tmp_path)
    assert complaints(file) == []
    named = [
        (float(frame.PlanePositionSequence[0].ImagePositionPatient[2]),
         frame.DerivationImageSequence[0].SourceImageSequence[0].ReferencedFrameNumber)
        for frame in made.instance.PerFrameFunctionalGroupsSequence[:3]
    ]  # fmt: skip
    assert sorted(named) == [(0, 2), (4, 4), (8, 6)]
    assert np.array_equal(load_mask(file, MaskTarget(series.geometry)).array, full.array)


def test_a_structure_that_was_not_found_gets_no_segment(tmp_path):
    write_series(tmp_path / "images")
    series = series_in(tmp_path / "images")
    outlines = random_outlines(series.geometry)
    nothing = Mask(np.zeros(series.geometry.shape, dtype=np.bool_), series.geometry)
    file, made = exported(
        series, Outlines(nothing, outlines.rectus_left, outlines.rectus_right), tmp_path
    )
    labels = [item.SegmentLabel for item in pydicom.dcmread(file).SegmentSequence]
    assert labels == ["Left rectus abdominis", "Right rectus abdominis"]
    assert made.segments == {"rectus left": 1, "rectus right": 2}
    nothing_at_all = segmentation(
        source_of(series), Outlines(nothing, nothing, nothing), RECORD, RECORD.visits[0]
    )
    assert nothing_at_all is None


def test_the_graft_is_tracked_from_visit_to_visit_and_told_from_another_subjects(tmp_path):
    for name in ("one", "other"):
        write_series(tmp_path / name, number=7, StudyInstanceUID=f"1.2.3.{len(name)}")
    uids = set()
    for name in ("one", "other"):
        series = series_in(tmp_path / name)
        source, outlines = source_of(series), random_outlines(series.geometry)
        made = segmentation(source, outlines, RECORD, RECORD.visits[0])
        uids.add(made.instance.SegmentSequence[0].TrackingUID)
        someone = record_of(VISIT, subject="S02")
        theirs = segmentation(source, outlines, someone, someone.visits[0])
        assert theirs.instance.SegmentSequence[0].TrackingUID not in uids
    assert len(uids) == 1


@pytest.mark.parametrize(
    ("source", "by"),
    [("automatic", "AUTOMATIC"), ("seeded", "SEMIAUTOMATIC"), ("edited", "MANUAL")],
)
def test_a_segment_says_who_drew_it(tmp_path, source, by):
    write_series(tmp_path / "images")
    series = series_in(tmp_path / "images")
    visit = visit_dict()
    visit["graft"]["source"] = source
    record = record_of(visit)
    made = segmentation(
        source_of(series), random_outlines(series.geometry), record, record.visits[0]
    )
    save_instance(made.instance, tmp_path / "made.dcm")
    graft = made.instance.SegmentSequence[0]
    assert graft.SegmentAlgorithmType == by
    assert graft.SegmentDescription.startswith(
        f"Confidence of the outline {visit['graft']['confidence']}"
    )
    assert complaints(tmp_path / "made.dcm") == []


def test_the_same_results_and_images_give_the_same_bytes(tmp_path):
    write_series(tmp_path / "images")
    series = series_in(tmp_path / "images")
    outlines = random_outlines(series.geometry)
    contents = {exported(series, outlines, tmp_path)[0].read_bytes() for _ in range(2)}
    assert len(contents) == 1
    other = random_outlines(series.geometry, seed=2)
    assert exported(series, other, tmp_path)[1].instance.SOPInstanceUID not in str(contents)


@pytest.mark.parametrize(
    "name",
    [
        "prostatex_0218/t2_tse_sag.dcm",
        "dcm_qa_patient_position/HFDL_t1_fl2d_sag.dcm",
        "uta4_t1spair_p3/t1_fl3d_tra_spair.dcm",
        "dcm_qa_enhanced/siemens_xa10_enhanced",
    ],
)
def test_real_images_of_any_plane_and_position_can_be_segmented(unpack, tmp_path, name):
    series = find_series([unpack(name)], PROTOCOL).series[0]
    box = np.zeros(series.geometry.shape, dtype=np.bool_)
    box[tuple(slice(n // 3, n // 2) for n in box.shape)] = True
    mask = Mask(box, series.geometry)
    file, _ = exported(series, Outlines(mask, mask, mask), tmp_path)
    assert complaints(file) == []
    target = MaskTarget(series.geometry, series.info.uid)
    assert np.array_equal(load_mask(file, target).array, box)


@pytest.mark.parametrize(
    ("attribute", "value"), [("FrameOfReferenceUID", None), ("StudyInstanceUID", "1..2")]
)
@pytest.mark.filterwarnings("ignore:Invalid value for VR UI")
def test_images_that_nothing_can_refer_to_are_refused(tmp_path, attribute, value):
    write_series(tmp_path / "images", **{attribute: value})
    with pytest.raises(SeriesError) as refused:
        source_of(series_in(tmp_path / "images"))
    assert refused.value.code == "export_no_uid"
    assert attribute in str(refused.value)


def test_a_series_in_several_multi_frame_files_is_refused(tmp_path):
    for number, start in enumerate((0, 8)):
        ds = enhanced([(start, 1, ECHO), (start + 4, 2, ECHO)], **T2)
        ds.SOPInstanceUID = f"1.2.3.{number}"
        ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID
        save(ds, tmp_path / "images" / f"enhanced{number}")
    with pytest.raises(SeriesError) as refused:
        source_of(series_in(tmp_path / "images"))
    assert refused.value.code == "export_layout"
