"""Images from and to a real archive: what a user's command moves, what breaks off, what is said."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from archives import (
    Orthanc,
    TlsTerminator,
    certificates,
    configuration,
    copy_images,
    free_port,
    images_of,
    impatient,
    node_of,
    wait_for,
)
from dicom_files import image as small_image
from dicom_files import save as save_image
from pydicom import dcmread
from pynetdicom import AE

from imaging.errors import OutputError, TransferError
from imaging.loaders.files import InputFile
from surveillance.deidentification.key import Key
from surveillance.deidentification.plan import Options, plan
from surveillance.pacs import dicomweb
from surveillance.pacs import pull as pulling
from surveillance.pacs.node import Instance, Query
from surveillance.pacs.parcel import find_parcels
from surveillance.pacs.pull import pull
from surveillance.pacs.push import push
from surveillance.pacs.stock import Stock, _write_all, opened
from surveillance.pacs.whole import is_whole

GRAFTSITE = Path(sys.executable).with_name("graftsite")
SAMPLE = Path(__file__).parents[1] / "sample_dicom/subjects/C08/visit1"
SUBJECT = Query(subjects=("C08",))


# pynetdicom 3.0.4 leaves the socket of a failed connection to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


@pytest.fixture(scope="module")
def sample():
    """SOP Instance UID -> dataset of one visit: localizer, T2W-FS, T1W-FS."""
    found = {str(ds.SOPInstanceUID): ds for ds in map(dcmread, images_of(SAMPLE))}
    assert len(found) > 50
    return found


@pytest.fixture
def filled(empty):
    """The archive with the sample in it."""
    empty.fill(images_of(SAMPLE))
    return empty


def datasets(folder):
    """SOP Instance UID -> all that is in a file but its meta information, which we write."""
    read = [dcmread(path) for path in images_of(folder) if path.suffix == ".dcm"]
    return {ds.SOPInstanceUID: ds for ds in read}


class Tripwire(Stock):
    """A stock where something happens when the image of that number has come."""

    def __init__(self, stock: Stock, number: int, happens):
        self.__dict__.update(stock.__dict__)
        self._left, self._happens = number, happens

    def keep(self, instance, content):
        kept = super().keep(instance, content)
        self._left -= 1
        if self._left == 0:
            self._happens()
        return kept


@pytest.mark.parametrize(("out", "back"), [("get", "move"), ("web", "get"), ("get", "web")])
def test_what_is_pushed_comes_back_identical(empty, sample, tmp_path, command, out, back):
    config = configuration(tmp_path, empty)
    said = command("push", out, SAMPLE, "--config", config, expect=0).out
    assert f"{len(sample)} files sent" in said
    folder = tmp_path / "in"
    command("pull", back, "--subject", "C08", "--config", config, "--to", folder, expect=0)
    assert datasets(folder) == sample
    syntaxes = {ds.file_meta.TransferSyntaxUID for ds in datasets(folder).values()}
    assert syntaxes == {ds.file_meta.TransferSyntaxUID for ds in sample.values()}


def test_the_command_of_the_shell_pulls_and_coreutils_confirm_the_checksums(filled, tmp_path):
    config = configuration(tmp_path, filled)
    done = subprocess.run(
        [GRAFTSITE, "pull", "get", "--patient", "SIM-C08", "--to", tmp_path / "in"],
        env={**os.environ, "GRAFTSITE_CONFIG": str(config)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    check = ["/usr/bin/sha256sum", "--check", "--strict", "--quiet", "SHA256SUMS"]
    subprocess.run(check, cwd=tmp_path / "in", check=True)


def test_what_is_there_and_whole_moves_no_second_time(filled, sample, tmp_path, command):
    config = configuration(tmp_path, filled)
    arguments = ("--config", config, "--to", tmp_path / "in")
    command("pull", "get", "--subject", "C08", *arguments, expect=0)
    said = command("pull", "web", "--trial", "NCT07276568", *arguments, expect=0).out
    assert f"0 images fetched, {len(sample)} were there" in said
    said = command("push", "web", tmp_path / "in", "--config", config, expect=0).out
    assert f"0 files sent to web; it had {len(sample)}" in said


def test_a_file_that_was_damaged_or_lost_since_is_fetched_again(filled, sample, tmp_path, command):
    arguments = ("--subject", "C08", "--config", configuration(tmp_path, filled))
    command("pull", "web", *arguments, "--to", tmp_path / "in", expect=0)
    first, second, *_ = images_of(tmp_path / "in")[1:]
    first.write_bytes(first.read_bytes()[:-100])
    second.unlink()
    said = command("pull", "web", *arguments, "--to", tmp_path / "in", expect=0).out
    assert "2 images fetched" in said
    assert datasets(tmp_path / "in") == sample


@pytest.mark.parametrize("way", ["get", "move", "web"])
def test_a_power_cut_in_the_middle_of_a_pull_loses_nothing_and_the_next_one_goes_on(
    filled, sample, tmp_path, way
):
    node = node_of(tmp_path, filled, way)
    with opened(tmp_path / "in") as stock:
        cut = Tripwire(stock, 10, filled.kill)
        with pytest.raises(TransferError, match=f"Node {way}"):
            pull(node, SUBJECT, cut, impatient())
    before = {path: path.stat().st_mtime_ns for path in images_of(tmp_path / "in")}
    kept = {str(uid) for uid in datasets(tmp_path / "in")}
    assert 10 <= len(kept) < len(sample)
    assert [p for p in before if p.suffix != ".dcm"] == [tmp_path / "in/SHA256SUMS"]
    filled.start()
    with opened(tmp_path / "in") as stock:
        result = pull(node, SUBJECT, stock, impatient())
    assert (result.there_before, result.fetched) == (len(kept), len(sample) - len(kept))
    assert datasets(tmp_path / "in") == sample
    assert [p for p in before if p.suffix == ".dcm" and p.stat().st_mtime_ns != before[p]] == []


def test_one_command_outlives_a_restart_of_the_archive(filled, sample, tmp_path):
    node = node_of(tmp_path, filled, "get")
    with opened(tmp_path / "in") as stock:
        cut = Tripwire(stock, 10, filled.kill)
        result = pull(node, SUBJECT, cut, impatient(lambda _: filled.start(), attempts=2))
    assert (result.fetched, result.missing) == (len(sample), ())
    assert datasets(tmp_path / "in") == sample


@dataclass(frozen=True)
class LastStraw(InputFile):
    """A file that, when it is opened to be sent, brings the archive down."""

    archive: Orthanc = None

    def open(self):
        self.archive.kill()
        return super().open()


@pytest.mark.parametrize("way", ["get", "web"])
def test_a_power_cut_in_the_middle_of_a_push_loses_nothing_and_the_next_one_goes_on(
    empty, sample, tmp_path, monkeypatch, way
):
    monkeypatch.setattr(dicomweb, "POST_BYTES", 25_000)
    parcels, _ = find_parcels([SAMPLE])
    node = node_of(tmp_path, empty, way)
    tripped = list(parcels)
    straw = LastStraw(parcels[30].file.path, archive=empty)
    tripped[30] = type(parcels[30])(straw, parcels[30].instance, parcels[30].transfer_syntax)
    with pytest.raises(TransferError, match=f"Node {way}"):
        push(node, tripped, impatient())
    empty.start()
    stored = len(empty.instances())
    assert 0 < stored < len(sample)
    result = push(node, parcels, impatient())
    assert (result.there_before, result.sent, result.refused) == (stored, len(sample) - stored, ())
    assert len(empty.instances()) == len(sample)


@pytest.mark.parametrize("way", ["get", "web"])
def test_a_study_that_grows_while_it_is_pulled_is_pulled_to_its_end(empty, sample, tmp_path, way):
    files = images_of(SAMPLE)
    first, _ = find_parcels([copy_images(files[:25], tmp_path / "first")])
    later, _ = find_parcels([copy_images(files[25:], tmp_path / "later")])
    node = node_of(tmp_path, empty, way)
    push(node, first, impatient())
    with opened(tmp_path / "in") as stock:
        growing = Tripwire(stock, 20, lambda: push(node, later, impatient()))
        result = pull(node, SUBJECT, growing, impatient())
    assert (result.fetched, result.missing, result.growing) == (len(sample), (), False)
    assert datasets(tmp_path / "in") == sample


@pytest.mark.parametrize("way", ["get", "web"])
def test_an_image_deleted_while_it_is_pulled_is_not_missed(filled, sample, tmp_path, way):
    """It is no longer listed when the archive is asked again."""
    last = max(sample)

    def delete():
        (found,) = [i for i in filled.instances() if _sop(filled, i) == last]
        filled.rest("DELETE", f"/instances/{found}")

    with opened(tmp_path / "in") as stock:
        shrinking = Tripwire(stock, 1, delete)
        result = pull(node_of(tmp_path, filled, way), SUBJECT, shrinking, impatient())
    assert (result.fetched, result.missing) == (len(sample) - 1, ())


def _sop(archive, instance):
    return archive.rest("GET", f"/instances/{instance}")["MainDicomTags"]["SOPInstanceUID"]


def test_an_image_that_the_archive_holds_damaged_is_named_and_not_kept(
    filled, sample, tmp_path, command
):
    """It is listed like any other, but what comes is not whole."""
    stored = [p for p in (filled.folder / "db").glob("*/*/*") if p.read_bytes()[128:132] == b"DICM"]
    lost = next(p for p in stored if "PixelData" in dcmread(p))
    uid = str(dcmread(lost).SOPInstanceUID)
    lost.write_bytes(lost.read_bytes()[:-300])
    filled.kill()  # it keeps in memory what it stored last
    filled.start()
    arguments = ("--subject", "C08", "--config", configuration(tmp_path, filled))
    said = command("pull", "get", *arguments, "--to", tmp_path / "in", expect=3)
    assert uid in said.err
    assert set(datasets(tmp_path / "in")) == set(sample) - {uid}


def test_nothing_found_is_said(filled, tmp_path, command):
    config = configuration(tmp_path, filled)
    for way in ("web", "get"):
        arguments = ("pull", way, "--patient", "nobody", "--config", config)
        assert "no such study" in command(*arguments, "--to", tmp_path / "in", expect=4).err


@pytest.mark.parametrize(
    "option", ["--patient=*", "--subject=S?", "--study=", "--study=12.x", None]
)
def test_a_whole_archive_is_not_copied_by_mistake(archive, tmp_path, command, option):
    config = configuration(tmp_path, archive)
    options = [option] if option else []
    command("pull", "get", *options, "--config", config, "--to", tmp_path / "in", expect=2)
    assert not (tmp_path / "in").exists()


def test_a_full_disk_is_one_clear_line_and_the_next_run_goes_on(filled, sample, tmp_path):
    """A file system of 200 kB in a mount namespace of its own, which needs no root."""
    if subprocess.run(["/usr/bin/unshare", "-rm", "true"], check=False).returncode:
        pytest.skip("this machine allows no mount namespaces")
    disk, config = tmp_path / "disk", configuration(tmp_path, filled)
    disk.mkdir()
    study = sorted({str(ds.StudyInstanceUID) for ds in sample.values()})[0]
    pull_it = f"{GRAFTSITE} pull get --to {disk} --study {study} --config {config}"
    script = f"""
        mount -t tmpfs -o size=200k tmpfs {disk}
        {pull_it}; echo code $?
        find {disk} -name '.partial*' | wc -l
        cd {disk} && sha256sum --check --strict --quiet SHA256SUMS && cd /
        mount -o remount,size=100m {disk}
        {pull_it}; echo code $?
    """
    shell = ["/usr/bin/unshare", "-rm", "sh", "-c", script]
    done = subprocess.run(shell, capture_output=True, text=True, check=True)
    assert "could not be written: No space left" in done.stderr
    first, left_over, report, second = done.stdout.splitlines()
    assert (first, left_over, second) == ("code 2", "0", "code 0")
    assert " 0 were there" not in report


def test_two_runs_do_not_fill_one_folder_at_once(tmp_path):
    with opened(tmp_path), pytest.raises(OutputError, match="another run"), opened(tmp_path):
        pass


def test_what_a_killed_run_left_half_written_is_removed(tmp_path):
    (tmp_path / "1.2").mkdir()
    (tmp_path / "1.2/.partial-abc.dcm").write_bytes(b"half")
    (tmp_path / "SHA256SUMS").write_text("0123  cut sho")
    with opened(tmp_path):
        assert images_of(tmp_path) == [tmp_path / "SHA256SUMS"]


@pytest.mark.parametrize("place", ["folder", "sums"])
def test_a_folder_that_cannot_be_written_is_said_at_once(tmp_path, place):
    target = tmp_path / "in"
    if place == "folder":
        target.write_text("I am a file")
    else:
        (target / "SHA256SUMS").mkdir(parents=True)
    with pytest.raises(OutputError, match="could not be written"), opened(target):
        pass


# Other servers than Orthanc -----------------------------------------------------------------


@pytest.fixture
def storescp(tmp_path):
    """A dcmtk server that only stores; a function starts it with more options."""
    started = []

    def start(*options):
        port, folder = free_port(), tmp_path / "stored"
        folder.mkdir()
        command = ["/usr/bin/storescp", *options, "-od", folder, str(port)]
        fast = {**os.environ, "TCP_NODELAY": "1"}
        started.append(subprocess.Popen(command, env=fast, stderr=subprocess.PIPE))
        wait_for(lambda: _takes_associations(port))
        more = f"""
[nodes.storescp]
kind = "dimse"
host = "127.0.0.1"
port = {port}
ae_title = "STORESCP"
timeout_s = 10
retrieve = "get"
"""
        return more, folder

    yield start
    for process in started:
        process.kill()
        process.communicate()


def _takes_associations(port):
    entity = AE("PROBE")
    entity.add_requested_context("1.2.840.10008.1.1")
    association = entity.associate("127.0.0.1", port)
    if association.is_established:
        association.release()
    return association.is_released


def test_a_node_that_only_stores_is_sent_everything(archive, storescp, sample, tmp_path, command):
    more, folder = storescp("+xa")
    config = configuration(tmp_path, archive, more=more)
    for _ in range(2):
        said = command("push", "storescp", SAMPLE, "--config", config, expect=0).out
        assert f"{len(sample)} files sent to storescp; it had 0 already" in said
    stored = {ds.SOPInstanceUID: ds for ds in map(dcmread, images_of(folder))}
    assert stored == sample
    said = command(
        "pull",
        "storescp",
        "--subject",
        "C08",
        "--to",
        tmp_path / "in",
        "--config",
        config,
        expect=5,
    )
    assert "does not offer Study Root" in said.err


def test_files_in_a_syntax_the_node_does_not_take_are_named(archive, storescp, tmp_path, command):
    more, folder = storescp("+xe")
    config = configuration(tmp_path, archive, more=more)
    copy_images(images_of(SAMPLE)[:2], tmp_path / "out")
    save_image(small_image(0), tmp_path / "out" / "plain")
    said = command("push", "storescp", tmp_path / "out", "--config", config, expect=3)
    assert said.err.count("JPEG 2000") == 2
    assert "1 files sent" in said.out
    assert len(images_of(folder)) == 1


def test_a_node_that_takes_nothing_of_it_refuses_each_file(archive, storescp, tmp_path, command):
    more, _ = storescp("+xi")
    config = configuration(tmp_path, archive, more=more)
    copy_images(images_of(SAMPLE)[:2], tmp_path / "out")
    said = command("push", "storescp", tmp_path / "out", "--config", config, expect=3)
    assert said.err.count("was not taken by storescp") == 2


def test_dcmtk_finds_in_the_archive_what_we_pushed(empty, sample, tmp_path, command):
    command("push", "web", SAMPLE, "--config", configuration(tmp_path, empty), expect=0)
    done = subprocess.run(
        ["/usr/bin/findscu", "-S", "-aec", "ORTHANC", "-aet", "GRAFTSITE",
         "-k", "QueryRetrieveLevel=STUDY", "-k", "PatientID=SIM-C08", "-k", "StudyInstanceUID=",
         "127.0.0.1", str(empty.dicom)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    studies = {str(ds.StudyInstanceUID) for ds in sample.values()}
    assert all(study in done.stdout + done.stderr for study in studies)


def test_what_cannot_be_sent_is_named_and_the_rest_is_sent(empty, tmp_path, command):
    folder = copy_images(images_of(SAMPLE)[:1], tmp_path / "out")
    shutil.copy(folder / "00000", folder / "again")
    (folder / "text").write_text("not DICOM at all, though it is longer than a preamble" * 5)
    (folder / "cut").write_bytes((folder / "00000").read_bytes()[:-300])
    no_uids = small_image(1, StudyInstanceUID=None)
    save_image(no_uids, folder / "without")
    said = command("push", "get", folder, "--config", configuration(tmp_path, empty), expect=0)
    assert "1 files sent" in said.out
    for words in ("neither DICOM nor NIfTI", "truncated", "of another file", "no UIDs"):
        assert words in said.err
    only_text = [folder / "text"]
    command("push", "get", *only_text, "--config", configuration(tmp_path, empty), expect=4)


def test_a_file_that_cannot_be_opened_or_parsed_is_named_and_the_rest_is_sent(tmp_path):
    folder = tmp_path / "out"
    save_image(small_image(0), folder / "good")
    content = (folder / "good").read_bytes()
    (folder / "broken").write_bytes(content.replace(b"\x10\x00UI", b"\x10\x00U\xf4", 1))
    parcels, refusals = find_parcels([folder, tmp_path / "nowhere"])
    assert [Path(parcel.file.path).name for parcel in parcels] == ["good"]
    assert len(refusals) == 2


def test_pixels_that_end_early_or_never_are_seen(tmp_path):
    whole = save_image(small_image(0), tmp_path / "plain")
    compressed = images_of(SAMPLE)[0]
    for path in (whole, compressed):
        assert is_whole(InputFile(str(path)))
        cut = tmp_path / "cut"
        cut.write_bytes(path.read_bytes()[:-20])
        assert not is_whole(InputFile(str(cut)))
    header_only = small_image(0)
    del header_only.PixelData
    assert is_whole(InputFile(str(save_image(header_only, tmp_path / "header"))))
    (tmp_path / "text").write_text("no DICOM")
    assert not is_whole(InputFile(str(tmp_path / "text")))


def test_a_study_that_never_stops_growing_is_said(empty, tmp_path, monkeypatch):
    """Each time it is asked for again one more image has come."""
    monkeypatch.setattr(pulling, "ROUNDS_MAX", 2)
    files = images_of(SAMPLE)[:6]
    empty.fill(files[:1])
    node, later = node_of(tmp_path, empty, "web"), iter(files[1:])

    class Growing(Stock):
        def keep(self, instance, content):
            empty.fill([next(later)])
            return super().keep(instance, content)

    with opened(tmp_path / "in") as stock:
        stock.__class__ = Growing
        assert pull(node, SUBJECT, stock, impatient()).growing


def test_a_certificate_of_our_own_is_shown_to_a_web_archive_that_asks(empty, tmp_path, command):
    ca, certificate, key = certificates(tmp_path)
    with TlsTerminator(certificate, key, empty.http, ask=ca) as https:
        tables = ""
        for name, own in (
            ("known", f', certificate_file = "{certificate}", key_file = "{key}"'),
            ("unknown", ""),
        ):
            tables += f"""
[nodes.{name}]
kind = "dicomweb"
url = "https://127.0.0.1:{https.port}/dicom-web"
timeout_s = 10
auth = {{ user = "graftsite", password = {{ file = "{tmp_path}/password" }} }}
tls = {{ ca_file = "{ca}"{own} }}
"""
        config = configuration(tmp_path, empty, more=tables)
        command("echo", "known", "--config", config, expect=0)
        said = command("echo", "unknown", "--config", config, expect=5).err
        assert "TLS with node unknown" in said
        assert "our own certificate if it asks for one" in said


STORED = Instance("1.2", "1.2.3", "1.2.3.4", "1.2.840.10008.5.1.4.1.1.4")


def test_a_file_that_came_cut_is_not_kept_and_leaves_nothing(tmp_path):
    content = save_image(small_image(0), tmp_path / "file").read_bytes()
    with opened(tmp_path / "in") as stock:
        assert not stock.keep(STORED, content[:-10])
        assert not stock.holds(STORED)
        assert stock.keep(STORED, content)
        assert stock.holds(STORED)
    names = [path.name for path in (tmp_path / "in").rglob("*") if path.is_file()]
    assert sorted(names) == ["1.2.3.4.dcm", "SHA256SUMS"]


def test_checksums_that_cannot_be_written_are_said(tmp_path):
    content = save_image(small_image(0), tmp_path / "file").read_bytes()
    (tmp_path / "SHA256SUMS").touch()
    with Path("/dev/full").open("wb", buffering=0) as full:
        stock = Stock(tmp_path, full)
        for _ in range(2):
            with pytest.raises(OutputError, match="SHA256SUMS could not be written: No space"):
                stock.keep(STORED, content)


def test_a_line_that_is_only_half_written_is_an_error():
    """What a write to a disk that has just become full returns; here a pipe that nobody reads."""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    with (
        os.fdopen(reading, "rb"),
        os.fdopen(writing, "wb", buffering=0) as pipe,
        pytest.raises(OSError, match="No space left"),
    ):
        _write_all(pipe, bytes(10**6))


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    """The memory of a process: a regular file that gives an input/output error."""
    (tmp_path / "odd").symlink_to("/proc/self/mem")
    parcels, refusals = find_parcels([tmp_path])
    assert parcels == ()
    assert [refusal.code for refusal in refusals] == ["file_unreadable"]
    found = plan([tmp_path], Key(b"1" * 32), Options())
    assert [refusal.code for refusal in found.refusals] == ["file_unreadable"]
