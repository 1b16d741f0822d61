"""Enhanced MR: one file, many frames, each with its own place."""

import numpy as np
import pytest
from dicom_files import image, save
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from imaging.loaders import find_series
from imaging.protocol import load_protocol
from imaging.series import Role

PROTOCOL = load_protocol()


def group(keyword, **values):
    """Return a functional group: a sequence of one item."""
    item, outer = Dataset(), Dataset()
    for name, value in values.items():
        setattr(item, name, value)
    setattr(outer, keyword, Sequence([item]))
    return outer


def merged(*groups):
    whole = Dataset()
    for one in groups:
        whole.update(one)
    return whole


PER_FRAME = (
    "ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "EchoTime", "RepetitionTime",
    "FlipAngle", "ScanOptions", "ScanningSequence", "SliceThickness",
)  # fmt: skip


def enhanced(frames, shared=(), **changes):
    """Return an Enhanced MR file; `frames` are (z, value, further groups)."""
    top = {
        "SOPClassUID": "1.2.840.10008.5.1.4.1.1.4.1",
        "NumberOfFrames": len(frames),
        "PixelData": np.concatenate(
            [np.full((6, 8), value, np.uint16) for _, value, *_ in frames]
        ).tobytes(),
        **dict.fromkeys(PER_FRAME),
    }  # fmt: skip
    ds = image(0, **{**top, **changes})
    ds.SharedFunctionalGroupsSequence = Sequence(
        [
            merged(
                group("PlaneOrientationSequence", ImageOrientationPatient=[1, 0, 0, 0, 1, 0]),
                group("PixelMeasuresSequence", PixelSpacing=[2, 1.5], SliceThickness=4),
                group("MRTimingAndRelatedParametersSequence", RepetitionTime=3000, FlipAngle=120),
                *shared,
            )
        ]
    )
    ds.PerFrameFunctionalGroupsSequence = Sequence(
        [
            merged(group("PlanePositionSequence", ImagePositionPatient=[-10, -20, z]), *own)
            for z, _, *own in frames
        ]
    )
    return ds


T2 = {"EchoPulseSequence": "SPIN", "SpectrallySelectedSuppression": "FAT"}
ECHO = group("MREchoSequence", EffectiveEchoTime=80.0)


def found(tmp_path, ds):
    return find_series([save(ds, tmp_path / "enhanced")], PROTOCOL)


def test_frames_are_placed_by_their_own_position(tmp_path):
    ds = enhanced([(8, 30, ECHO), (0, 10, ECHO), (4, 20, ECHO)], **T2)
    (one,) = found(tmp_path, ds).series
    assert one.geometry.spacing_mm == pytest.approx((1.5, 2, 4))
    assert one.load().array[0, 0].tolist() == [10, 20, 30]


def test_functional_groups_decide_the_role(tmp_path):
    ds = enhanced([(z, 1, ECHO) for z in (0, 4, 8)], SeriesDescription="abc", **T2)
    (one,) = found(tmp_path, ds).series
    assert one.role is Role.T2W_FS
    assert (one.info.echo_time_ms, one.info.repetition_time_ms) == (80, 3000)
    assert one.info.fat_suppressed is True


@pytest.mark.parametrize(
    ("attributes", "role"),
    [
        ({"SpectrallySelectedSuppression": "NONE"}, Role.T2W),
        ({"SpectrallySelectedExcitation": "WATER"}, Role.T2W_FS),
        ({"AcquisitionContrast": "STIR"}, Role.T2W_FS),
        ({"AcquisitionContrast": "T1", "SpectrallySelectedSuppression": "FAT"}, Role.T1W_FS),
        ({"AcquisitionContrast": "FLUID_ATTENUATED"}, Role.OTHER),
        ({"AcquisitionContrast": "DIFFUSION"}, Role.DWI),
    ],
)
def test_explicit_enhanced_attributes_are_believed(tmp_path, attributes, role):
    frames = [(z, 1, ECHO) for z in (0, 4, 8)]
    ds = enhanced(frames, EchoPulseSequence="SPIN", SeriesDescription="", **attributes)
    assert [s.role for s in found(tmp_path, ds).series] == [role]


def test_dixon_parts_of_one_file_are_told_apart_by_frame_type(tmp_path):
    parts = ("WATER", "FAT", "IN_PHASE", "OUT_OF_PHASE")
    frames = [
        (z, p, group("MRImageFrameTypeSequence", FrameType=["DERIVED", "PRIMARY", "DIXON", name]))
        for p, name in enumerate(parts, 1)
        for z in (0, 4, 8)
    ]
    timing = group("MREchoSequence", EffectiveEchoTime=2.4)
    ds = enhanced(frames, [timing], EchoPulseSequence="GRADIENT", SeriesDescription="")
    ds.SharedFunctionalGroupsSequence[0].MRTimingAndRelatedParametersSequence[0].FlipAngle = 10
    ds.SharedFunctionalGroupsSequence[0].MRTimingAndRelatedParametersSequence[0].RepetitionTime = 6
    roles = {int(s.load().array.max()): s.role for s in found(tmp_path, ds).series}
    assert roles == {
        1: Role.T1W_FS,
        2: Role.DIXON_FAT,
        3: Role.DIXON_IN_PHASE,
        4: Role.DIXON_OPPOSED_PHASE,
    }


def test_each_frame_has_its_own_rescale(tmp_path):
    frames = [
        (z, 10, group("PixelValueTransformationSequence", RescaleSlope=s, RescaleIntercept=1))
        for z, s in ((0, 1), (4, 2), (8, 3))
    ]
    (one,) = found(tmp_path, enhanced(frames, [ECHO], **T2)).series
    assert one.load().array[0, 0].tolist() == [11, 21, 31]


def test_temporal_positions_become_volumes(tmp_path):
    frames = [
        (z, t, group("FrameContentSequence", TemporalPositionIndex=t))
        for z in (0, 4, 8)
        for t in (1, 2)
    ]
    volumes = found(tmp_path, enhanced(frames, [ECHO], **T2)).series
    assert sorted(int(v.load().array.max()) for v in volumes) == [1, 2]
    assert all(v.load().array.min() == v.load().array.max() for v in volumes)


def test_directions_of_diffusion_become_volumes(tmp_path):
    def diffusion(direction):
        inner = group("DiffusionGradientDirectionSequence", DiffusionGradientOrientation=direction)
        outer = Dataset()
        inner.DiffusionBValue = 800.0
        outer.MRDiffusionSequence = Sequence([inner])
        return outer

    frames = [(z, 1, diffusion(d)) for d in ([1, 0, 0], [0, 1, 0]) for z in (0, 4, 8)]
    volumes = found(tmp_path, enhanced(frames, [ECHO], **T2)).series
    assert [v.role for v in volumes] == [Role.DWI, Role.DWI]
    assert volumes[0].info.b_value_s_mm2 == 800


def test_a_file_that_describes_fewer_frames_than_it_stores_is_refused(tmp_path):
    ds = enhanced([(z, 1, ECHO) for z in (0, 4, 8)])
    del ds.PerFrameFunctionalGroupsSequence[2]
    (refusal,) = found(tmp_path, ds).refusals
    assert refusal.code == "frames_not_described"
