"""`graftsite batch` as it is run: processes, a cluster, an object store, a full disk."""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from archives import wait_for
from batches import Told, committed, do_all, objects_of, save_manifest, save_visit
from dicom_files import series
from distributed import LocalCluster

from imaging.errors import NodeError, OutputError
from imaging.protocol import load_protocol
from surveillance.batching.manifest import load_manifest
from surveillance.batching.pool import cluster_pool
from surveillance.batching.run import run
from surveillance.batching.unit import Order
from surveillance.exports.writing import PARTIAL
from surveillance.results.commit import read_all
from surveillance.results.place import open_place, prepared
from surveillance.results.table import cohort_rows, is_fresh

pytest_plugins = ("object_store", "dask_cluster")
CT = "1.2.840.10008.5.1.4.1.1.2"
GRAFTSITE = Path(sys.executable).with_name("graftsite")
UNSHARE = shutil.which("unshare") or "/bin/false"
NO_ROOM = subprocess.run([UNSHARE, "-Urm", "true"], capture_output=True, check=False).returncode


@pytest.fixture(scope="module")
def manifest(tmp_path_factory):
    folder = tmp_path_factory.mktemp("given")
    rows = [("A", f"P{number}", f"in/P{number}") for number in range(3)]
    for number in range(3):
        save_visit(folder / "in" / f"P{number}", seed=number, t1=number == 0)
    return save_manifest(folder / "m.csv", rows)


@pytest.fixture(scope="module")
def expected(manifest, tmp_path_factory):
    """SHA-256 of everything that is written of each subject, made in this process."""
    store = str(tmp_path_factory.mktemp("expected"))
    do_all(load_manifest(manifest, "A"), Order(store, load_protocol()))
    return objects_of(open_place(store))


def started(*arguments, **options):
    return subprocess.Popen(
        [GRAFTSITE, "batch", *map(str, arguments)], stdout=subprocess.PIPE, text=True, **options
    )


def lines(said):
    return [json.loads(line) for line in said.splitlines()]


def test_a_subject_with_no_usable_image_is_told_to_the_shell_and_to_later_checks(tmp_path, command):
    series(tmp_path / "in" / "ct", Modality="CT", SOPClassUID=CT, ClinicalTrialSubjectID="CT1")
    save_visit(tmp_path / "in" / "P0")
    store = tmp_path / "store"
    said = command("batch", tmp_path / "in", "-o", store, "--site", "A", expect=3)
    assert "CT1" in said.err
    (aside,) = json.loads(command("check", store, expect=3).out)["set_aside"]
    assert (aside["subject"], aside["site"]) == ("CT1", "A")


def test_a_site_that_is_no_name_of_a_folder_is_refused(manifest, tmp_path, command):
    said = command("batch", manifest, "-o", tmp_path, "--site", "../up", expect=2)
    assert "'../up'" in said.err


def test_two_processes_write_the_same_bytes_as_one_and_say_how_far_they_are(
    manifest, expected, tmp_path
):
    with started(manifest, "-o", tmp_path, "--jobs", "2") as process:
        *told, end = lines(process.communicate()[0])
    assert process.returncode == 0
    assert objects_of(open_place(str(tmp_path))) == expected
    assert [line["done"] for line in told] == [1, 2, 3]
    assert {line["subject"] for line in told} == {"P0", "P1", "P2"}
    assert told[-1]["remaining_s"] == 0.0
    assert told[-1]["subjects_per_minute"] > 0
    assert (end["event"], end["assessed"], end["interrupted"]) == ("end", 3, False)


def test_two_batches_at_once_on_one_store_leave_what_one_would(manifest, expected, tmp_path):
    both = [started(manifest, "-o", tmp_path) for _ in range(2)]
    ends = [lines(process.communicate()[0])[-1] for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert all(end["assessed"] + end["unchanged"] == 3 for end in ends)
    place = open_place(str(tmp_path))
    assert objects_of(place) == expected
    assert is_fresh(place)
    assert cohort_rows(place).num_rows == 3
    keys = {name: {c.key for c in read_all(place, place.entries(f"commits/A/{name}"))}
            for name in expected}  # fmt: skip
    assert all(len(of_one) == 1 for of_one in keys.values())
    assert list(tmp_path.rglob(f"{PARTIAL}*")) == []


def test_a_batch_whose_worker_and_then_itself_are_killed_goes_on_to_the_same_bytes(
    manifest, expected, tmp_path
):
    with started(manifest, "-o", tmp_path / "s", start_new_session=True) as process:
        first = json.loads(process.stdout.readline())
        os.killpg(process.pid, signal.SIGKILL)
    assert first["became"] == "assessed"
    place = open_place(str(tmp_path / "s"))
    assert 1 <= len(committed(place)) <= 3
    assert cohort_rows(place).num_rows == len(committed(place))
    with started(manifest, "-o", tmp_path / "s") as process:
        *told, _ = lines(process.communicate()[0])
    assert {"subject": "P0", "became": "unchanged"}.items() <= told[0].items()
    assert objects_of(place) == expected


def test_an_interrupt_keeps_what_is_finished(manifest, tmp_path):
    with started(manifest, "-o", tmp_path, start_new_session=True) as process:
        process.stdout.readline()
        os.kill(process.pid, signal.SIGINT)
        said = process.stdout.read()
    assert process.returncode in (0, 130)  # the others may have been finished by then
    assert lines(said)[-1]["interrupted"] is (process.returncode == 130)
    assert len(committed(open_place(str(tmp_path)))) >= 1


def test_on_a_dask_cluster_the_same_bytes_though_a_worker_is_killed(manifest, expected, tmp_path):
    with LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=":0") as cluster:
        arguments = (manifest, "-o", tmp_path, "--scheduler", cluster.scheduler_address)
        with started(*arguments) as process:
            json.loads(process.stdout.readline())
            (nanny,) = cluster.workers.values()
            os.kill(nanny.pid, signal.SIGKILL)
            said = process.stdout.read()
        assert process.returncode == 0
        assert lines(said)[-1]["assessed"] == 3
    assert objects_of(open_place(str(tmp_path))) == expected


@pytest.fixture(scope="module")
def many(manifest):
    """Twelve subjects of the same images, so that there is work left when a worker goes."""
    rows = [("A", f"Q{number:02d}", "in/P2") for number in range(12)]
    return save_manifest(manifest.parent / "many.csv", rows)


class Fickle(Told):
    """Takes the worker away when the first subject is done, and gives it back when that is said."""

    def __init__(self, cluster):
        super().__init__()
        self.cluster = cluster

    def finished_one(self, answer):
        if not self.answers:
            self.cluster.scale(0)
        super().finished_one(answer)

    def deserted(self, patience_s):
        super().deserted(patience_s)
        self.cluster.scale(1)


def test_a_cluster_that_has_lost_all_workers_is_said_and_waited_for(many, cluster, tmp_path):
    order, told = Order(str(tmp_path), load_protocol()), Fickle(cluster)
    with cluster_pool(cluster.scheduler_address, 600.0) as pool:
        run(load_manifest(many, "A"), order, prepared(order.store), pool, told)
    assert told.absences == [600.0, None]
    # One may be committed already when its worker leaves with the answer.
    assert set(told.became.values()) <= {"assessed", "unchanged"}
    assert len(committed(open_place(order.store))) == 12


class Ends(Told):
    """Ends the scheduler itself when the first subject is done."""

    def __init__(self, cluster):
        super().__init__()
        self.cluster = cluster

    def finished_one(self, answer):
        if not self.answers:
            self.cluster.close()
        super().finished_one(answer)


def test_a_scheduler_that_ends_stops_the_batch_and_blames_no_subject(many, cluster, tmp_path):
    order = Order(str(tmp_path), load_protocol())
    units, place = load_manifest(many, "A"), prepared(order.store)
    with (
        cluster_pool(cluster.scheduler_address, 600.0) as pool,
        pytest.raises(NodeError, match="cluster is gone"),
    ):
        run(units, order, place, pool, Ends(cluster))
    assert 1 <= len(committed(place)) < 12
    assert place.entries("aside") == []


def test_a_cluster_that_stays_without_workers_is_given_up_and_nobody_is_blamed(
    many, cluster, tmp_path, command
):
    def desert():
        wait_for(lambda: any(tmp_path.glob("commits/A/*/*.json")), 120)
        cluster.scale(0)

    place = open_place(str(tmp_path))
    deserter = threading.Thread(target=desert)
    deserter.start()
    asked = ("--scheduler", cluster.scheduler_address, "--patience-s", "0.5")
    said = command("batch", many, "-o", tmp_path, *asked, expect=5)
    deserter.join()
    assert "lost all its workers. Waiting up to 0.5 s" in said.err
    assert "has had no worker for 0.5 s" in said.err
    assert lines(said.out)[-1]["event"] == "no_worker"
    assert 1 <= len(committed(place)) < 12
    assert place.entries("aside") == []


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:9", "no address"])
def test_a_scheduler_that_does_not_answer_is_said(manifest, tmp_path, command, address):
    said = command("batch", manifest, "-o", tmp_path, "--scheduler", address, expect=5)
    assert f"No Dask scheduler answers at {address}" in said.err


def test_a_cluster_without_workers_is_said(manifest, tmp_path, command):
    with LocalCluster(n_workers=0, dashboard_address=":0") as cluster:
        address = cluster.scheduler_address
        said = command("batch", manifest, "-o", tmp_path, "--scheduler", address, expect=5)
    assert "has no worker" in said.err


def test_an_object_store_holds_the_same_as_a_folder(manifest, expected, bucket, command):
    with started(manifest, "-o", bucket) as process:
        process.communicate()
    assert process.returncode == 0
    place = open_place(bucket)
    assert objects_of(place) == expected
    assert cohort_rows(place).select(["subject"]).to_pylist() == [
        {"subject": f"P{number}"} for number in range(3)
    ]
    with started(manifest, "-o", bucket) as process:
        assert lines(process.communicate()[0])[-1]["unchanged"] == 3
    assert json.loads(command("check", bucket, expect=0).out)["visits"] == 3


def test_a_bucket_that_is_not_there_stops_the_batch_and_blames_no_subject(manifest, bucket):
    gone = Order(bucket.replace("graft/", "nowhere/"), load_protocol())
    with pytest.raises(OutputError, match="could not be written"):
        do_all(load_manifest(manifest, "A"), gone)


def in_a_room(script, *arguments):
    """Run a shell script in a mount namespace of its own, where it may mount what it likes."""
    return subprocess.run(
        [UNSHARE, "-Urm", "/bin/sh", "-c", script, "sh", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.skipif(NO_ROOM, reason="user namespaces are off: no disk of our own to fill")
def test_a_full_disk_stops_the_batch_with_the_reason_and_what_was_committed_stays(
    manifest, tmp_path
):
    script = """
        mount -t tmpfs -o size=200k tmpfs "$3" || exit 99
        "$1" batch "$2" -o "$3" >/dev/null; echo $?
        mount -o remount,size=50m "$3"
        "$1" batch "$2" -o "$3" | tail -n 1
    """
    done = in_a_room(script, GRAFTSITE, manifest, tmp_path)
    assert "could not be written: No space left on device" in done.stderr
    assert done.stdout.startswith("2\n")
    end = json.loads(done.stdout.splitlines()[-1])
    assert end["assessed"] + end["unchanged"] == 3
    assert end["set_aside"] == 0


@pytest.mark.skipif(NO_ROOM, reason="user namespaces are off: no disk of our own")
def test_a_store_that_may_not_be_written_is_said_before_any_work(manifest, tmp_path):
    script = """
        mount -t tmpfs tmpfs "$3" && mount -o remount,ro "$3" || exit 99
        "$1" batch "$2" -o "$3/store"
    """
    done = in_a_room(script, GRAFTSITE, manifest, tmp_path)
    assert done.returncode == 2
    assert "could not be written: Read-only file system" in done.stderr
    assert done.stdout == ""
