"""389 malformed files: each refused cleanly, in bounded time and memory, beside a good series."""

import resource
import tarfile
import time

import pytest
from dicom_files import series

from imaging.loaders import check_pixels, find_series
from imaging.protocol import load_protocol

PROTOCOL = load_protocol()
SECONDS_A_FILE = 5.0  # of processor; the slowest takes 0.2 s, a hang takes for ever
MEMORY_GROWTH_MB = 500
CT, MR = b"1.2.840.10008.5.1.4.1.1.2\0", b"1.2.840.10008.5.1.4.1.1.4\0"


@pytest.fixture(scope="module", params=["as they are", "as MR"])
def hostile(real_data, tmp_path_factory, request):
    """Unpack the files; once more with CT made MR, so that they get past the modality."""
    folder = tmp_path_factory.mktemp("hostile")
    with tarfile.open(real_data / "hostile_dicom" / "fuzz_corpus_v3.tar.xz") as archive:
        archive.extractall(folder, filter="data")
    paths = sorted(p for p in folder.rglob("*") if p.is_file())
    if request.param == "as MR":
        for path in paths:
            content = path.read_bytes().replace(CT, MR)
            path.chmod(0o644)
            path.write_bytes(content.replace(b"CS\x02\0CT", b"CS\x02\0MR"))
    return folder, paths


def peak_mb():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def test_each_hostile_file_is_one_clean_refusal_in_bounded_time_and_memory(hostile, capfd):
    _, paths = hostile
    assert len(paths) == 389
    before = peak_mb()
    for path in paths:
        start = time.process_time()
        inventory = check_pixels(find_series([path], PROTOCOL))
        assert time.process_time() - start < SECONDS_A_FILE, path
        assert inventory.series == (), path
        assert [r.files for r in inventory.refusals] == [(str(path),)], path
        assert len(inventory.refusals[0].message) < 1000, path
        assert inventory.refusals[0].message.isprintable(), path
    assert peak_mb() - before < MEMORY_GROWTH_MB
    assert capfd.readouterr() == ("", "")


def test_a_good_series_among_all_hostile_files_still_loads(hostile):
    folder, paths = hostile
    good = series(folder / "good")
    inventory = check_pixels(find_series([folder], PROTOCOL))
    assert [s.geometry.shape for s in inventory.series] == [(8, 6, 4)]
    refused = sorted(name for r in inventory.refusals for name in r.files)
    assert refused == sorted(str(p) for p in paths)
    for path in good:
        path.unlink()
