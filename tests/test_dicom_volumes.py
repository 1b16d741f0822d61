"""What one DICOM series may hold: echoes, components, Dixon parts, b-values, repetitions."""

import pytest
from dicom_files import ROOT, image, save, series

from imaging.loaders import find_series
from imaging.protocol import load_protocol
from imaging.series import Role

PROTOCOL = load_protocol()


def write_parts(folder, parts):
    """Write one series in which every position is imaged once for each of `parts`."""
    for p, changes in enumerate(parts):
        for k in range(3):
            own = {
                "SOPInstanceUID": f"{ROOT}8.{p}.{k + 1}",
                "InstanceNumber": 1 + k * len(parts) + p,
                **changes,
            }
            ds = image(k, **own)
            ds.PixelData = bytes([p + 1, 0]) * 48
            save(ds, folder / f"{k}_{p}")


def volumes(folder):
    return find_series([folder], PROTOCOL).series


def values(found):
    return sorted(float(s.load().array.max()) for s in found)


@pytest.mark.parametrize(
    "parts",
    [
        [{"EchoTime": 80}, {"EchoTime": 160}],
        [{"ImageType": ["ORIGINAL", "PRIMARY", c]} for c in "MPRI"],
        [{"DiffusionBValue": 50.0}, {"DiffusionBValue": 800.0}],
        [{"TemporalPositionIdentifier": 1}, {"TemporalPositionIdentifier": 2}],
        [{"AcquisitionNumber": 1}, {"AcquisitionNumber": 2}],
        [{"TriggerTime": 0.0}, {"TriggerTime": 40.0}, {"TriggerTime": 80.0}],
        [{"InversionTime": 100.0}, {"InversionTime": 800.0}],
        [{"AcquisitionTime": "101500"}, {"AcquisitionTime": "101700"}],
        [{}, {}, {}],
    ],
    ids=[
        "echoes", "components", "b-values", "temporal positions", "acquisitions",
        "trigger times", "inversion times", "times", "instance numbers alone",
    ],
)  # fmt: skip
def test_images_at_one_position_become_separate_volumes(tmp_path, parts):
    write_parts(tmp_path, parts)
    found = volumes(tmp_path)
    assert values(found) == [float(p + 1) for p in range(len(parts))]
    assert all(s.load().array.min() == s.load().array.max() for s in found)


def test_acquisition_numbers_of_interleaved_slices_do_not_split_a_volume(tmp_path):
    series(
        tmp_path, AcquisitionNumber=lambda k: k % 2 + 1, AcquisitionTime=lambda k: f"1015{k:02d}"
    )
    assert [s.geometry.shape[2] for s in volumes(tmp_path)] == [4]


@pytest.mark.parametrize(
    "names",
    [
        [["DERIVED", "PRIMARY", "DIXON", n] for n in ("WATER", "FAT", "IN_PHASE", "OPP_PHASE")],
        [["ORIGINAL", "PRIMARY", n, n] for n in ("W", "F", "IP", "OP")],
        [["DERIVED", "PRIMARY", "DIXON", n] for n in ("WATER", "FAT", "IN_PHASE", "OUT_OF_PHASE")],
    ],
    ids=["Siemens", "Philips", "GE"],
)
def test_dixon_parts_in_one_series_are_told_apart(tmp_path, names):
    write_parts(
        tmp_path,
        [
            {"ImageType": n, "ScanningSequence": "GR", "ScanOptions": None, "EchoTime": 2.4,
             "RepetitionTime": 4.5, "FlipAngle": 10, "SeriesDescription": "dixon"}
            for n in names
        ],
    )  # fmt: skip
    roles = {float(s.load().array.max()): s.role for s in volumes(tmp_path)}
    assert roles == {
        1.0: Role.T1W_FS,
        2.0: Role.DIXON_FAT,
        3.0: Role.DIXON_IN_PHASE,
        4.0: Role.DIXON_OPPOSED_PHASE,
    }


def test_the_ge_private_tag_tells_magnitude_from_real_and_imaginary(tmp_path):
    for p, component in enumerate((0, 2, 3)):
        for k in range(3):
            ds = image(k, SOPInstanceUID=f"{ROOT}8.{p}.{k + 1}", InstanceNumber=3 * k + p)
            block = ds.private_block(0x0043, "GEMS_PARM_01", create=True)
            block.add_new(0x2F, "SS", component)
            save(ds, tmp_path / f"{k}_{p}")
    found = volumes(tmp_path)
    assert sorted(s.info.component for s in found) == ["IMAGINARY", "MAGNITUDE", "REAL"]
    assert sorted(s.role for s in found) == [Role.OTHER, Role.OTHER, Role.T2W_FS]


def test_copies_of_an_image_are_used_once_and_said(tmp_path):
    series(tmp_path / "a")
    series(tmp_path / "copy")
    inventory = find_series([tmp_path], PROTOCOL)
    assert [s.geometry.shape[2] for s in inventory.series] == [4]
    (refusal,) = inventory.refusals
    assert refusal.code == "image_repeated"
    assert len(refusal.files) == 4


def test_a_series_too_repeated_to_explain_is_refused(tmp_path):
    write_parts(tmp_path, [{"InstanceNumber": None}, {"InstanceNumber": None}])
    assert [r.code for r in find_series([tmp_path], PROTOCOL).refusals] == ["positions_duplicate"]


def test_what_tells_a_volume_from_its_siblings_is_said(tmp_path):
    write_parts(tmp_path, [{"EchoTime": 80}, {"EchoTime": 160}])
    assert any("echo 160 ms" in s.info.part for s in volumes(tmp_path))


def test_the_philips_scale_slope_is_noted_as_evidence(tmp_path):
    for k in range(3):
        ds = image(k)
        block = ds.private_block(0x2005, "Philips MR Imaging DD 001", create=True)
        block.add_new(0x0E, "FL", 0.25)
        save(ds, tmp_path / f"{k}")
    (found,) = volumes(tmp_path)
    assert any("0.25" in sentence for sentence in found.decision.evidence)
