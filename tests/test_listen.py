"""`graftsite listen`: a study is sent by a real archive, assessed, and results go back to it."""

import json
import signal
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from archives import Orthanc, answers, certificates, configuration, images_of, wait_for
from dicom_files import ROOT, image, save, series
from dicom_results import record_of, visit_dict
from pydicom import dcmread
from pynetdicom import AE

from imaging.errors import ConfigurationError
from imaging.protocol import load_protocol
from surveillance.pacs.configuration import ServerTls, load_configuration
from surveillance.pacs.inbox import Inbox
from surveillance.pacs.listener import Listener, listen
from surveillance.pacs.receiving import Keeping, receiver
from surveillance.pacs.reply import visits_from
from surveillance.pacs.retry import Retry
from surveillance.pacs.stock import opened

GRAFTSITE = Path(sys.executable).with_name("graftsite")
VISIT = Path(__file__).parents[1] / "sample_dicom/subjects/C08/visit1"
CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
MR = "1.2.840.10008.5.1.4.1.1.4"

# pynetdicom 3.0.4 leaves the socket of a failed connection to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


def listening(folder, archive, quiet_s=0.4, **more):
    extra = "".join(f'{key} = "{value}"\n' for key, value in more.items())
    table = f"""
[listen]
folder = "{folder}/inbox"
output = "{folder}/out"
quiet_s = {quiet_s}
longest_wait_s = 100.0
{extra}"""
    return configuration(folder, archive, more=table)


class EnoughError(Exception):
    """Ends a listener that would listen for ever."""


def as_dicom(assessed):
    """A stand-in for the export: one secondary capture in the same study that names the flag."""
    record = assessed.output / "subjects" / assessed.subject / "assessment.json"
    level = json.loads(record.read_text())["visits"][0]["surveillance_flag"]["level"]
    result = dcmread(images_of(assessed.study)[0])
    result.SOPInstanceUID = result.file_meta.MediaStorageSOPInstanceUID = f"{ROOT}99"
    result.SOPClassUID = result.file_meta.MediaStorageSOPClassUID = CAPTURE
    result.SeriesInstanceUID = f"{ROOT}98"
    result.SeriesDescription = f"flag {level}"
    return [save(result, assessed.folder / "result.dcm")]


def test_a_study_that_the_archive_sends_is_assessed_and_its_result_is_in_the_archive(
    empty, tmp_path
):
    """Although the archive goes down when the result is ready, and comes back later."""
    empty.fill(images_of(VISIT))
    path = listening(tmp_path, empty, count_from="get", send_to="web")
    settings = load_configuration(path)
    said, sent, down = [], [], []

    def sleep(_):
        if not sent:
            (study,) = empty.rest("GET", "/studies")
            sent.append(empty.rest("POST", "/modalities/graftsite/store", study))
        if down and "It will be tried again." in said[-1]:
            empty.start()
        if any("results are in" in sentence for sentence in said):
            raise EnoughError

    def export(assessed):
        if not down:
            down.append(empty.kill())
        return as_dicom(assessed)

    retry = Retry(settings.retry, sleep, said.append)
    clock = iter(range(10**6)).__next__  # a second passes at every look
    with pytest.raises(EnoughError):
        listen(settings, settings.listen, clock, retry, export, load_protocol())
    captured = [i for i in empty.instances() if _series(empty, i).startswith("flag ")]
    assert len(captured) == 1
    assert (tmp_path / "out/subjects/C08/BASELINE/graft.nii.gz").exists()
    assert "C08,BASELINE" in (tmp_path / "out/cohort.csv").read_text()
    assert "SIM" not in " ".join(said)
    assert sum("is assessed" in sentence for sentence in said) == 2
    received = {dcmread(p).SOPInstanceUID for p in (tmp_path / "inbox/images").rglob("*.dcm")}
    assert received == {dcmread(p).SOPInstanceUID for p in images_of(VISIT)}


def test_the_service_sends_outlines_measurements_and_reports_back_into_the_study(empty, tmp_path):
    """Once for each visit: what the archive got for the first one is not sent again."""
    first, second = (VISIT.with_name(name) for name in ("visit1", "visit2"))
    chinese = listening(tmp_path, empty, count_from="get", send_to="web", language="zh")
    process = subprocess.Popen([GRAFTSITE, "listen", chinese], stderr=subprocess.PIPE, text=True)
    delivered = tmp_path / "inbox/images/delivered.json"
    wait_for(lambda: answers(empty.ours))
    for number, visit in enumerate((first, second), start=1):
        before = empty.instances()
        empty.fill(images_of(visit))
        study = dcmread(images_of(visit)[0]).StudyInstanceUID
        empty.rest("POST", "/modalities/graftsite/store", _orthanc_study(empty, study))
        wait_for(lambda: len(_delivered(delivered)) == number, seconds=180)  # noqa: B023
        came = [_tags(empty, one) for one in empty.instances() - before]
        sent = [one for one in came if one["SOPClassUID"] != MR]
        assert sorted(one["Modality"] for one in sent) == ["DOC", "DOC", "OT", "SEG", "SR"]
        assert {one["StudyInstanceUID"] for one in sent} == {study}
        assert {one["PatientID"] for one in sent} == {came[0]["PatientID"]}
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=30)
    assert process.returncode == 130
    assert said.count("5 results are in web.") == 2
    page = (tmp_path / "out/subjects/C08/report.html").read_text()
    assert '<html lang="zh' in page
    assert page.count("data:image/png") > 4, "the baseline's pictures stand beside the visit's"


def _orthanc_study(archive, uid):
    (found,) = archive.rest("POST", "/tools/lookup", uid)
    return found["ID"]


def _delivered(file):
    return json.loads(file.read_text()) if file.exists() else {}


def _tags(archive, instance):
    return archive.rest("GET", f"/instances/{instance}/simplified-tags")


def test_a_visit_that_arrives_late_renews_those_after_it_and_no_earlier_one():
    early, late, last = (
        visit_dict(visit=label, folder=label, series={**NO_SERIES, role: series_block(uid)})
        for label, role, uid in (
            ("BASELINE", "t2w_fs", "1.1"), ("D28", "t1w_fs", "1.2"), ("M3", "t2w_fs", "1.3"),
        )
    )  # fmt: skip
    record = record_of(early, late, last)
    assert visits_from(record, {"1.2", "9.9"}) == ("D28", "M3")
    assert visits_from(record, {"1.1"}) == ("BASELINE", "D28", "M3")
    assert visits_from(record, {"9.9"}) == ()


NO_SERIES = {"t2w_fs": None, "t1w_fs": None}


def series_block(uid):
    return {"series_uid": uid, "description": "", "role_evidence": []}


def _series(archive, instance):
    series = archive.rest("GET", f"/instances/{instance}/series")
    return series["MainDicomTags"].get("SeriesDescription", "")


def storescu(port, folder, caller="STORESCU"):
    names = ["-aet", caller, "-aec", "GRAFTSITE"]
    command = ["/usr/bin/storescu", "-v", *names, "+sd", "127.0.0.1", str(port), str(folder)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_service_starts_receives_says_what_it_cannot_assess_and_stops_when_told(
    archive, tmp_path
):
    series(tmp_path / "study")
    path = listening(tmp_path, archive)
    for _ in range(2):
        process = subprocess.Popen([GRAFTSITE, "listen", path], stderr=subprocess.PIPE, text=True)
        wait_for(lambda: answers(archive.ours))
        done = storescu(archive.ours, tmp_path / "study")
        assert done.returncode == 0, done.stderr
        wait_for((tmp_path / "inbox/images/delivered.json").exists)
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=30)
        assert process.returncode == 130
        assert "Listening as GRAFTSITE" in said
        assert "MRN" not in said
        assert ROOT not in said, "a UID was named"
        assert "Traceback" not in said
    assert "could not be assessed" not in said, "it was dealt with before the restart"


@dataclass
class Watch:
    """A listener whose time the test tells, fed by hand; `said` is what it told the user."""

    archive: object
    folder: Path
    inbox: Inbox
    listener: Listener = None
    now: float = 0.0
    said: list = field(default_factory=list)

    def comes(self, path):
        ds = dcmread(path)
        return self.inbox.keep(ds.SOPInstanceUID, path.read_bytes())

    def looks(self, at):
        self.now = at
        self.listener.look()
        return self.said[-1] if self.said else ""


@contextmanager
def watching(archive, folder, **more):
    settings = load_configuration(listening(folder, archive, quiet_s=10.0, **more))
    with opened(folder / "inbox/images") as stock:
        watch = Watch(archive, folder, None)
        watch.inbox = Inbox(stock, lambda: watch.now)
        watch.listener = Listener(
            configuration=settings,
            settings=settings.listen,
            inbox=watch.inbox,
            keeping=Keeping(watch.inbox.keep),
            retry=Retry(settings.retry, lambda _: None, watch.said.append),
            exporter=lambda _: (),
            protocol=load_protocol(),
        )
        yield watch


def test_a_study_waits_for_quiet_and_then_for_what_the_archive_still_has(empty, tmp_path):
    paths = series(tmp_path / "study", slices=4)
    empty.fill(paths)
    with watching(empty, tmp_path, count_from="get") as watch:
        for path in paths[:2]:
            assert watch.comes(path)
        assert watch.looks(at=9) == "", "it is not quiet yet"
        assert "2 images of it are still in the archive" in watch.looks(at=10)
        assert len(watch.said) == 1
        watch.looks(at=11)
        assert len(watch.said) == 1, "it is not asked again at once"
        assert "2 images of it are still in the archive" in watch.looks(at=20)
        assert watch.comes(paths[2])
        watch.looks(at=29)
        assert len(watch.said) == 2, "a new image begins a new quiet period"
        watch.looks(at=121)
        assert any("1 images of it never came" in sentence for sentence in watch.said)
        assert watch.inbox.waiting() == []
        assert watch.comes(paths[3])
        assert len(watch.inbox.waiting()) == 1, "one more image makes the study new"


def test_an_archive_that_cannot_be_asked_holds_nothing_up(tmp_path):
    nobody = Orthanc(tmp_path)  # never started
    (tmp_path / "in").mkdir()
    with watching(nobody, tmp_path / "in", count_from="get") as watch:
        (path,) = series(tmp_path / "study", slices=1)
        assert watch.comes(path)
        watch.looks(at=10)
        assert any("Node get cannot be reached" in sentence for sentence in watch.said)
        assert watch.inbox.waiting() == []


def test_a_restarted_inbox_goes_on_with_what_was_received(archive, tmp_path):
    paths = series(tmp_path / "study", slices=2)
    with watching(archive, tmp_path) as watch:
        watch.comes(paths[0])
    with watching(archive, tmp_path) as watch:
        (study,) = watch.inbox.waiting()
        watch.inbox.delivered(study, watch.inbox.content(study))
        assert watch.inbox.waiting() == []
    with watching(archive, tmp_path) as watch:
        assert watch.inbox.waiting() == []


@pytest.mark.parametrize("uid", ["../../../outside", "", "1.2/3"])
def test_a_study_uid_that_is_none_makes_no_folder(archive, tmp_path, uid):
    hostile = image(0)
    hostile.StudyInstanceUID = "1.2.826.0.1.3680043.8.498.77.2"
    path = save(hostile, tmp_path / "file")
    padded = uid.encode().ljust(30, b"\0")
    content = path.read_bytes().replace(hostile.StudyInstanceUID.encode(), padded)
    with watching(archive, tmp_path) as watch:
        assert not watch.inbox.keep(hostile.SOPInstanceUID, content)
        assert not watch.inbox.keep("1.2.3", path.read_bytes()), "it is not what was announced"
        assert not watch.inbox.keep(hostile.SOPInstanceUID, b"no DICOM")
        assert watch.inbox.waiting() == []
    assert [p.name for p in (tmp_path / "inbox").rglob("*")] == ["images", "SHA256SUMS"]


def test_what_cannot_be_stored_is_refused_and_the_sender_keeps_it(archive, tmp_path):
    """A file lies where the study's folder would be; as on a full disk, nothing can be written."""
    paths = series(tmp_path / "study", slices=2)
    with watching(archive, tmp_path) as watch:
        (tmp_path / "inbox/images" / f"{ROOT}2").write_text("in the way")
        local = watch.listener.configuration.local
        with receiver(local.ae_title, local.receiver, watch.listener.keeping, [MR]):
            done = storescu(archive.ours, tmp_path / "study")
        assert "Refused: OutOfResources" in done.stdout + done.stderr
        assert "could not be written" in watch.looks(at=1)
        assert len(paths) == 2


def test_only_known_callers_and_only_mr_images_are_let_in(archive, tmp_path):
    series(tmp_path / "study", slices=1)
    with watching(archive, tmp_path) as watch:
        local = watch.listener.configuration.local
        with receiver(local.ae_title, local.receiver, watch.listener.keeping, [MR]):
            done = storescu(archive.ours, tmp_path / "study", "STRANGER")
            assert "Calling AE Title Not Recognized" in done.stderr + done.stdout
            entity = AE("STORESCU")
            entity.add_requested_context(CAPTURE)
            association = entity.associate("127.0.0.1", archive.ours, ae_title="GRAFTSITE")
            assert not association.is_established
            again = receiver(local.ae_title, local.receiver, watch.listener.keeping, [MR])
            with pytest.raises(ConfigurationError, match="Address already in use"), again:
                pass
        assert watch.inbox.waiting() == []


def test_over_tls_a_caller_must_show_a_certificate_when_we_ask_for_one(archive, tmp_path):
    ca, certificate, key = certificates(tmp_path)
    local = load_configuration(listening(tmp_path, archive)).local
    tls = ServerTls(certificate_file=certificate, key_file=key, ca_file=ca)
    secured = local.receiver.model_copy(update={"tls": tls})
    with receiver(local.ae_title, secured, Keeping(lambda *_: True), [MR]):
        names = ["-aet", "STORESCU", "-aec", "GRAFTSITE", "+cf", ca]
        where = ["127.0.0.1", str(archive.ours)]
        codes = {
            how[0]: subprocess.run(
                ["/usr/bin/echoscu", *how, *names, *where], capture_output=True, check=False
            ).returncode
            for how in (["+tls", key, certificate], ["+tla"], ["-tls"])
        }
    assert codes["+tls"] == 0
    assert codes["+tla"] != 0
    assert codes["-tls"] != 0


def test_a_service_needs_its_table(archive, tmp_path, command):
    said = command("listen", configuration(tmp_path, archive), expect=2)
    assert "listen: it is missing" in said.err
