"""`graftsite batch` of a PACS: each subject pulled, assessed and its images removed again."""

import fcntl
import json
import os
import pickle
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from archives import configuration, free_port, images_of, wait_for
from batches import committed, do_all, records_of, save_manifest, save_study
from dicom_files import ROOT, image, save
from pydicom.encaps import encapsulate
from pydicom.uid import RLELossless
from pynetdicom import AE

from imaging.errors import ConfigurationError, TransferError, UsageError
from imaging.protocol import load_protocol
from surveillance.batching import archive as archives
from surveillance.batching.manifest import load_manifest
from surveillance.batching.sources import source_of
from surveillance.batching.unit import Order
from surveillance.pacs.association import VERIFICATION
from surveillance.pacs.configuration import load_configuration
from surveillance.results.place import open_place

GRAFTSITE = Path(sys.executable).with_name("graftsite")
PROTOCOL = load_protocol()
CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
IDENTIFIERS = (b"MRN", b"Doe", b"19700101")

# pynetdicom 3.0.4 leaves the socket of a failed connection to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


@pytest.fixture
def hospital(empty, tmp_path):
    """An archive with two subjects of the trial and a patient of nobody's."""
    save_study(tmp_path / "in" / "P1", "P1", 1)
    save_study(tmp_path / "in" / "P2", "P2", 2)
    save_study(tmp_path / "other", "X", 3, ClinicalTrialProtocolID=None)
    empty.fill(images_of(tmp_path / "in") + images_of(tmp_path / "other"))
    return empty


@pytest.fixture
def settings(empty, tmp_path):
    return load_configuration(configuration(tmp_path, empty))


@pytest.fixture
def order(tmp_path):
    return Order(str(tmp_path / "store"), PROTOCOL)


@pytest.fixture
def work_folder(tmp_path, monkeypatch):
    """Where images lie while they are worked on."""
    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def units_of(address, settings):
    return source_of([address], PROTOCOL, "A", settings).units


def made_of(units, store):
    told, _ = do_all(units, Order(str(store), PROTOCOL))
    assert set(told.became.values()) == {"assessed"}
    return {name: json.loads(record) for name, record in records_of(open_place(str(store))).items()}


@pytest.mark.usefixtures("hospital")
def test_a_whole_trial_gives_the_records_that_its_files_would_whichever_way_they_come(
    settings, tmp_path, work_folder
):
    made = {way: made_of(units_of(f"pacs:{way}?trial=TRIAL", settings), tmp_path / way)
            for way in ("get", "web")}  # fmt: skip
    units = units_of("pacs:move?trial=TRIAL", settings)  # one port, one at a time
    made["move"] = {k: v for u in units for k, v in made_of([u], tmp_path / u.subject).items()}
    assert set(made["get"]) == {"P1", "P2"}
    assert made["get"] == made["web"] == made["move"]
    assert list(work_folder.iterdir()) == []
    disk = made_of(source_of([tmp_path / "in"], PROTOCOL, "A").units, tmp_path / "disk")
    for name, record in disk.items():  # keys are made of bytes there, of UIDs here
        assert {**record, "fingerprint": ""} == {**made["get"][name], "fingerprint": ""}


def test_what_the_archive_has_as_before_is_not_even_fetched_and_a_new_visit_is(
    hospital, settings, order, tmp_path, monkeypatch
):
    address = "pacs:web?subject=P1&subject=P2"
    do_all(units_of(address, settings), order)
    result = image(
        0,
        SOPClassUID=CAPTURE,
        SOPInstanceUID=f"{ROOT}8.1",
        StudyInstanceUID=f"{ROOT}2.1",
        PatientID="MRN-P1",
        ClinicalTrialSubjectID="P1",
    )
    hospital.fill([save(result, tmp_path / "result")])  # as we ourselves send them back
    with monkeypatch.context() as patched:
        patched.delattr(archives, "pull")  # who fetched would fail
        told, _ = do_all(units_of(address, settings), order)
    assert told.became == {"P1": "unchanged", "P2": "unchanged"}
    hospital.fill(save_study(tmp_path / "later", "P2", 28))
    told, _ = do_all(units_of(address, settings), order)
    assert told.became == {"P1": "unchanged", "P2": "assessed"}
    assert [row["study_date"] for row in committed(open_place(order.store))["P2"].rows] == [
        "2026-01-02",
        "2026-01-28",
    ]


def test_nobody_is_named_in_results_in_logs_or_to_a_scheduler(hospital, tmp_path):
    config = configuration(tmp_path, hospital)
    asked = "pacs:web?patient=MRN-P1&patient=MRN-X"
    done = subprocess.run(
        [GRAFTSITE, "batch", asked, "-o", tmp_path / "store", "--jobs", "2", "--config", config],
        capture_output=True,
        check=True,
    )
    assert json.loads(done.stdout.splitlines()[-1])["assessed"] == 2
    written = [path.read_bytes() for path in (tmp_path / "store").rglob("*") if path.is_file()]
    assert len(written) > 10
    names = [str(path).encode() for path in (tmp_path / "store").rglob("*")]
    for content in (done.stdout, done.stderr, *written, *names):
        assert not any(word in content for word in IDENTIFIERS)
    settings = load_configuration(config)
    row = ("A", "P1", "pacs:web?patient=MRN-P1")
    (unit,) = load_manifest(save_manifest(tmp_path / "m.csv", [row]), "A", settings)
    assert not any(word in repr(unit).encode() for word in IDENTIFIERS)
    assert pickle.loads(pickle.dumps(unit)).archive == unit.archive


def damage(archive, study):
    """Cut the stored file of one image of a study; the archive lists it as before."""
    (found,) = archive.rest("POST", "/tools/lookup", study)
    stored = archive.rest("GET", f"/studies/{found['ID']}/instances")[0]["FileUuid"]
    (path,) = (archive.folder / "db").rglob(stored)
    content = path.read_bytes()
    path.write_bytes(content[:-300])
    archive.kill()  # it keeps in memory what it stored last
    archive.start()
    return path, content


def test_a_study_that_does_not_arrive_whole_is_set_aside_and_the_others_are_done(
    hospital, settings, order
):
    path, whole = damage(hospital, f"{ROOT}2.1")
    address = "pacs:get?trial=TRIAL"
    told, _ = do_all(units_of(address, settings), order)
    assert told.became == {"P1": "set_aside", "P2": "assessed"}
    assert {a.code for a in told.answers if a.subject == "P1"} == {"archive_incomplete"}
    path.write_bytes(whole)
    told, _ = do_all(units_of(address, settings), order)
    assert told.became == {"P1": "set_aside", "P2": "unchanged"}
    told, _ = do_all(units_of(address, settings), order, retry=True)
    assert told.became == {"P1": "assessed", "P2": "unchanged"}


def test_an_image_more_is_reason_to_try_again_what_was_set_aside(
    hospital, settings, order, tmp_path
):
    hospital.fill([save(image(0, StudyInstanceUID=f"{ROOT}2.9", PatientID="MRN-P9",
        ClinicalTrialSubjectID="P9", BitsAllocated=12), tmp_path / "bad")])  # fmt: skip
    told, _ = do_all(units_of("pacs:web?subject=P9", settings), order)
    assert told.became == {"P9": "set_aside"}
    assert told.answers[0].code == "manifest_nobody"
    assert f"pacs:web/{ROOT}2.9/" in told.answers[0].message
    told, _ = do_all(units_of("pacs:web?subject=P9", settings), order)
    assert told.became == {"P9": "set_aside"}
    hospital.fill(save_study(tmp_path / "sound", "P9", 9))
    told, _ = do_all(units_of("pacs:web?subject=P9", settings), order)
    assert told.became == {"P9": "assessed"}


def test_a_record_speaks_of_the_archive_and_of_no_folder_that_is_gone(hospital, settings, tmp_path):
    """So that it is the same each time, though an image of it cannot be decoded."""
    garbage = {"TransferSyntaxUID": RLELossless, "PixelData": encapsulate([b"garbage!"])}
    hospital.fill(save_study(tmp_path / "odd", "P9", 9, **garbage))
    units = units_of("pacs:get?subject=P9", settings)
    records = []
    for store in ("one", "two"):
        do_all(units, Order(str(tmp_path / store), PROTOCOL))
        records.append(records_of(open_place(str(tmp_path / store)))["P9"])
    assert records[0] == records[1]
    assert f"pacs:get/{ROOT}2.9/{ROOT}3.9/".encode() in records[0]


def test_an_archive_that_goes_away_stops_the_batch_and_blames_no_subject(
    hospital, settings, order, tmp_path, command
):
    units = units_of("pacs:get?trial=TRIAL", settings)
    do_all(units[:1], order)
    hospital.kill()
    with pytest.raises(TransferError, match="Node get cannot be reached"):
        do_all(units, order)
    said = command(
        "batch", "pacs:get?trial=TRIAL", "-o", order.store, "--site", "A",
        "--config", tmp_path / "graftsite.toml", expect=5,
    )  # fmt: skip
    assert "Node get cannot be reached" in said.err
    assert open_place(order.store).entries("aside") == []
    hospital.start()
    told, _ = do_all(units, order)
    assert told.became == {"P1": "unchanged", "P2": "assessed"}


def test_a_query_that_finds_nobody_is_no_success(hospital, order, tmp_path, command):
    config = configuration(tmp_path, hospital)
    nobody = "pacs:web?subject=NOBODY"
    said = command("batch", nobody, "-o", order.store, "--config", config, expect=4)
    assert "pacs:web: The node has no such study" in said.err
    both = source_of([nobody, "pacs:web?subject=P1"], PROTOCOL, "A", load_configuration(config))
    assert [unit.subject for unit in both.units] == ["P1"]
    assert not both.whole


def test_a_manifest_may_name_what_an_archive_does_not_and_says_which_patient_it_is(
    hospital, settings, order, tmp_path
):
    hospital.fill(save_study(tmp_path / "v1", "M", 11, ClinicalTrialSubjectID=None))
    hospital.fill(save_study(tmp_path / "v2", "M", 12, ClinicalTrialSubjectID=None))
    rows = [
        ("T7", f"pacs:web?study={ROOT}2.11"),
        ("T7", f"pacs:web?study={ROOT}2.12"),
        ("T8", "pacs:web?patient=MRN-P1"),
    ]
    manifest = save_manifest(tmp_path / "m.csv", rows, ("subject", "path"))
    told, _ = do_all(source_of([manifest], PROTOCOL, "A", settings).units, order)
    assert told.became == {"T7": "assessed", "T8": "set_aside"}
    assert len(committed(open_place(order.store))["T7"].rows) == 2
    (aside,) = [a for a in told.answers if a.subject == "T8"]
    assert aside.code == "manifest_other"
    assert "P1" in aside.message


@pytest.fixture
def greeter(tmp_path, empty):
    """A node that answers C-ECHO and nothing else; a function stops it."""
    port, entity = free_port(), AE("GREETER")
    entity.add_supported_context(VERIFICATION)
    entity.start_server(("127.0.0.1", port), block=False)
    more = f"""
[nodes.greeter]
kind = "dimse"
host = "127.0.0.1"
port = {port}
ae_title = "GREETER"
timeout_s = 5
retrieve = "get"
"""
    yield load_configuration(configuration(tmp_path, empty, more=more)), entity.shutdown
    entity.shutdown()


def test_a_node_that_refuses_one_subject_sets_it_aside_and_one_that_is_gone_stops_the_batch(
    greeter, order, tmp_path
):
    settings, stop = greeter
    rows = [("P1", "pacs:greeter?subject=P1")]
    manifest = save_manifest(tmp_path / "m.csv", rows, ("subject", "path"))
    units = source_of([manifest], PROTOCOL, "A", settings).units
    for _ in range(2):
        told, _ = do_all(units, order)
        assert told.became == {"P1": "set_aside"}
        assert told.answers[0].code == "node_no_service"
    assert json.loads(open_place(order.store).read("aside/A/P1.json"))["tries"] == 2
    stop()
    with pytest.raises(TransferError, match="Node greeter"):
        do_all(units, order)


def test_a_subject_in_an_archive_and_elsewhere_is_refused(settings, tmp_path):
    rows = [("T7", "pacs:web?study=1.2"), ("T7", "in/T7")]
    manifest = save_manifest(tmp_path / "m.csv", rows, ("subject", "path"))
    with pytest.raises(UsageError, match="T7 lies in a PACS and elsewhere"):
        load_manifest(manifest, "A", settings)


def test_an_archive_of_a_manifest_is_asked_for_an_answer_before_any_work(
    hospital, settings, tmp_path
):
    rows = [("P1", "pacs:get?subject=P1")]
    manifest = save_manifest(tmp_path / "m.csv", rows, ("subject", "path"))
    hospital.kill()
    try:
        with pytest.raises(TransferError, match="Node get"):
            source_of([manifest], PROTOCOL, "A", settings)
    finally:
        hospital.start()


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("pacs:web", "Say whose studies"),
        ("pacs:web?subject=", "Wildcards"),
        ("pacs:web?patient=MRN*", "Wildcards"),
        ("pacs:web?study=MRN1", "no Study Instance UID"),
        ("pacs:web?name=MRN1", "keys are study, patient, subject, trial"),
        ("pacs:nowhere?subject=P1", "no node nowhere"),
    ],
)
def test_an_address_that_is_none_is_refused_and_what_it_asks_for_is_not_repeated(
    settings, address, why
):
    with pytest.raises(UsageError, match=why) as caught:
        source_of([address], PROTOCOL, "A", settings)
    assert "MRN1" not in str(caught.value)


def test_without_a_configuration_an_archive_is_nowhere(tmp_path, command, monkeypatch):
    monkeypatch.delenv("GRAFTSITE_CONFIG", raising=False)
    said = command("batch", "pacs:web?subject=P1", "-o", tmp_path / "store", expect=2)
    assert "--config" in said.err


def test_several_workers_for_one_port_are_refused(hospital, tmp_path, command):
    config = configuration(tmp_path, hospital)
    asked = ("batch", "pacs:move?trial=TRIAL", "-o", tmp_path / "store", "--config", config)
    assert "Use --jobs 1" in command(*asked, "--jobs", "2", expect=2).err


@pytest.mark.usefixtures("hospital")
def test_a_secret_that_a_worker_lacks_is_no_fault_of_a_subjects(settings, order, tmp_path):
    units = units_of("pacs:web?trial=TRIAL", settings)
    (tmp_path / "password").unlink()
    with pytest.raises(ConfigurationError, match="no password"):
        do_all(units, order)
    assert open_place(order.store).entries("aside") == []


@pytest.mark.usefixtures("hospital")
def test_a_batch_killed_while_it_fetches_leaves_images_that_the_next_one_removes(
    settings, tmp_path, work_folder
):
    asked = [GRAFTSITE, "batch", "pacs:web?trial=TRIAL", "-o", tmp_path / "store"]
    asked += ["--config", tmp_path / "graftsite.toml"]
    environment = {**os.environ, "TMPDIR": str(work_folder)}
    with subprocess.Popen(asked, env=environment, start_new_session=True) as process:
        wait_for(lambda: any(work_folder.glob(f"{archives.PULLED}*/*/*/*.dcm")))
        os.killpg(process.pid, signal.SIGKILL)
    (left,) = work_folder.glob(f"{archives.PULLED}*")
    os.utime(left / "SHA256SUMS", (0, 0))
    do_all(units_of("pacs:web?trial=TRIAL", settings), Order(str(tmp_path / "store"), PROTOCOL))
    assert set(committed(open_place(str(tmp_path / "store")))) == {"P1", "P2"}
    assert list(work_folder.glob(f"{archives.PULLED}*")) == []


def test_images_that_somebody_works_on_or_has_just_begun_with_stay(work_folder):
    for name in ("dead", "alive", "young"):
        folder = work_folder / f"{archives.PULLED}{name}"
        folder.mkdir()
        (folder / "SHA256SUMS").write_text("")
        if name != "young":
            os.utime(folder / "SHA256SUMS", (0, 0))
    alive = work_folder / f"{archives.PULLED}alive"
    with (alive / "SHA256SUMS").open("ab") as sums:
        fcntl.flock(sums, fcntl.LOCK_EX)
        archives.remove_abandoned()
    left = {path.name.removeprefix(archives.PULLED) for path in work_folder.iterdir()}
    assert left == {"alive", "young"}
