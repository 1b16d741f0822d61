"""Batches: what is done is not done again, one subject's fault is its own, nothing is half."""

import json
import os
import resource
import shutil
import sys
import tempfile
import time
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from batches import Told, committed, do_all, do_all_on, records_of, save_manifest, save_visit
from crashing import CONTEXT

from imaging.errors import NodeError, OutputError, UsageError
from imaging.protocol import load_protocol
from surveillance.batching import work
from surveillance.batching.manifest import load_manifest
from surveillance.batching.pool import Pool, cluster_pool, local_pool
from surveillance.batching.run import run
from surveillance.batching.sources import source_of
from surveillance.batching.unit import Order, Unit, ordered
from surveillance.results.place import open_place, prepared
from surveillance.results.table import cohort_rows, is_fresh

PROTOCOL = load_protocol()


@pytest.fixture
def images(tmp_path):
    for number in (1, 2):
        save_visit(tmp_path / "in" / f"P0{number}", seed=number)
    return tmp_path / "in"


@pytest.fixture
def order(tmp_path):
    return Order(str(tmp_path / "store"), PROTOCOL)


def units_of(images, site="A"):
    return source_of((images,), PROTOCOL, site).units


def test_a_second_run_does_nothing_and_a_new_visit_reassesses_that_subject_alone(images, order):
    told, tally = do_all(units_of(images), order)
    assert told.became == {"P01": "assessed", "P02": "assessed"}
    assert tally.assessed == 2
    before = {entry.name: entry for entry in open_place(order.store).entries("")}
    told, _ = do_all(units_of(images), order)
    assert told.became == {"P01": "unchanged", "P02": "unchanged"}
    assert {entry.name: entry for entry in open_place(order.store).entries("")} == before
    save_visit(images / "P02", "D28", seed=9)
    told, _ = do_all(units_of(images), order)
    assert told.became == {"P01": "unchanged", "P02": "assessed"}
    rows = committed(open_place(order.store))["P02"].rows
    assert [row["label"] for row in rows] == ["BASELINE", "D28"]


def test_another_version_of_the_program_or_a_changed_file_means_another_assessment(
    images, order, monkeypatch
):
    do_all(units_of(images), order)
    save_visit(images / "P01", seed=7)
    told, _ = do_all(units_of(images), order)
    assert told.became == {"P01": "assessed", "P02": "unchanged"}
    monkeypatch.setattr("surveillance.fingerprint.program_version", lambda: "9.9")
    told, _ = do_all(units_of(images), order)
    assert set(told.became.values()) == {"assessed"}


def test_what_was_committed_before_can_still_be_read(images, order):
    do_all(units_of(images), order)
    first = committed(open_place(order.store))["P01"]
    save_visit(images / "P01", "D28", seed=9)
    do_all(units_of(images), order)
    place = open_place(order.store)
    assert committed(place)["P01"].key != first.key
    assert json.loads(place.read(f"{first.folder}/assessment.json"))["subject"] == "P01"


def test_inputs_that_fail_are_set_aside_after_two_tries_with_the_reason(images, order, tmp_path):
    rows = [("A", "P01", images / "P01"), ("A", "BAD", tmp_path / "bad")]
    bad = tmp_path / "bad" / "BASELINE" / "t2w_fs.nii.gz"
    bad.parent.mkdir(parents=True)
    bad.write_bytes(b"no image")
    units = load_manifest(save_manifest(tmp_path / "m.csv", rows), "A")
    told, tally = do_all(units, order)
    assert told.became == {"P01": "assessed", "BAD": "set_aside"}
    aside = json.loads(open_place(order.store).read("aside/A/BAD.json"))
    assert (aside["tries"], aside["code"]) == (2, "manifest_nobody")
    assert "bad/BASELINE/t2w_fs.nii.gz" in aside["message"]
    assert [answer.subject for answer in tally.unseen] == ["BAD"]
    do_all(units, order)  # it is not tried a third time
    assert json.loads(open_place(order.store).read("aside/A/BAD.json"))["tries"] == 2
    shutil.rmtree(tmp_path / "bad")
    save_visit(tmp_path / "bad")
    told, _ = do_all(units, order)
    assert told.became == {"P01": "unchanged", "BAD": "assessed"}
    assert open_place(order.store).entries("aside") == []


class Deadly:
    """Images that kill whoever opens them: the process ends when this is unpacked."""

    visits = ()

    def __reduce__(self):
        return os._exit, (1,)


def test_a_subject_that_kills_its_worker_is_set_aside_and_the_others_are_done(images, order):
    deadly = Unit("A", "DEADLY", (images / "P01",), Deadly())
    with local_pool(1, memory_gb=4.0) as pool:
        told, _ = do_all_on(pool, [deadly, *units_of(images)], order)
    assert told.became == {"DEADLY": "set_aside", "P01": "assessed", "P02": "assessed"}
    assert [a.code for a in told.answers if a.subject == "DEADLY"] == ["worker_died"]


def test_a_store_that_cannot_be_written_stops_the_batch_and_blames_no_subject(images, tmp_path):
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / "objects").write_text("a file where a folder should be")
    with pytest.raises(OutputError, match="could not be written"):
        do_all(units_of(images), Order(str(tmp_path / "store"), PROTOCOL))
    assert open_place(str(tmp_path / "store")).entries("aside") == []


def files_of_at_most(size, images, store):
    """Run a batch in a process that may write no larger file, as a quota would have it."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
    do_all(units_of(images), Order(store, PROTOCOL))


def test_a_quota_that_is_used_up_stops_the_batch_with_the_reason_and_it_goes_on_later(
    images, order
):
    with CONTEXT.Pool(1) as pool, pytest.raises(OutputError, match="written: File too large"):
        pool.apply(files_of_at_most, (1000, images, order.store))
    place = open_place(order.store)
    assert place.entries("aside") == []
    assert committed(place) == {}
    told, _ = do_all(units_of(images), order)
    assert told.became == {"P01": "assessed", "P02": "assessed"}


@pytest.fixture
def somebody_else(tmp_path):
    """A way to be a user whom the kernel does not let into everything."""
    temporary = Path(tempfile.gettempdir())
    for folder in (tmp_path, *tmp_path.parents):  # pytest lets nobody else into its own folders
        if folder.is_relative_to(temporary) and folder != temporary:
            folder.chmod(0o755)

    @contextmanager
    def being():
        before = os.geteuid()
        os.seteuid(before or 65534)
        try:
            yield
        finally:
            os.seteuid(before)

    return being


def opened_to_all(store, mode):
    for folder, _, _ in os.walk(store):
        Path(folder).chmod(mode)


def test_a_store_that_we_may_not_write_is_said_and_blames_no_subject(images, order, somebody_else):
    units = units_of(images)
    do_all(units[:1], order)
    with somebody_else(), pytest.raises(OutputError, match=r"P02.*written: Permission denied"):
        do_all(units, order)
    opened_to_all(order.store, 0o777)
    assert open_place(order.store).entries("aside") == []
    with somebody_else():
        told, _ = do_all(units, order)
    assert told.became == {"P01": "unchanged", "P02": "assessed"}


def test_images_that_we_may_not_read_are_set_aside_with_the_reason(
    images, order, tmp_path, somebody_else
):
    rows = [("A", name, images / name) for name in ("P01", "P02")]
    units = load_manifest(save_manifest(tmp_path / "m.csv", rows), "A")
    do_all(units[1:], order)
    opened_to_all(order.store, 0o777)
    secret = images / "P01" / "BASELINE" / "t2w_fs.nii.gz"
    secret.chmod(0)
    with somebody_else():
        told, _ = do_all(units, order)
    assert told.became == {"P01": "set_aside", "P02": "unchanged"}
    assert "Permission denied" in next(a.message for a in told.answers if a.subject == "P01")
    secret.chmod(0o644)
    told, _ = do_all(units, order, retry=True)
    assert told.became == {"P01": "assessed", "P02": "unchanged"}


def test_without_a_place_for_temporary_files_the_batch_stops_and_blames_no_subject(
    images, order, tmp_path, monkeypatch
):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "gone"))
    with pytest.raises(OutputError, match="TMPDIR could not be written: No such file"):
        do_all(units_of(images), order)
    assert open_place(order.store).entries("aside") == []


def test_a_store_written_before_the_clock_was_set_back_goes_on(images, order):
    """All that it and the images know of time lies a year ahead."""
    do_all(units_of(images), order)
    ahead = time.time() + 365 * 24 * 3600
    for path in (*images.rglob("*"), *Path(order.store).rglob("*")):
        os.utime(path, (ahead, ahead))
    told, _ = do_all(units_of(images), order)
    assert told.became == {"P01": "unchanged", "P02": "unchanged"}
    save_visit(images / "P02", "D28", seed=9)
    told, _ = do_all(units_of(images), order)
    assert told.became == {"P01": "unchanged", "P02": "assessed"}
    place = open_place(order.store)
    assert len(committed(place)["P02"].rows) == 2
    assert is_fresh(place)
    assert cohort_rows(place).num_rows == 3


def test_two_runs_on_one_store_at_a_time_end_as_one_would(images, order, tmp_path):
    alone = Order(str(tmp_path / "alone"), PROTOCOL)
    do_all(units_of(images), alone)
    units = units_of(images)
    with ThreadPoolExecutor(2) as both:
        runs = [both.submit(do_all, units, order) for _ in range(2)]
        assert all(run.result()[1].assessed == 2 for run in runs)
    assert records_of(open_place(order.store)) == records_of(open_place(alone.store))


def test_reports_lie_beside_the_masks_and_asking_for_them_later_makes_them(images, order):
    units = units_of(images)[:1]
    do_all(units, order)
    told, _ = do_all(units, Order(order.store, PROTOCOL, "en"))
    assert told.became == {"P01": "assessed"}
    files = set(committed(open_place(order.store))["P01"].files)
    assert {"report.html", "report.pdf", "BASELINE/report.pdf", "BASELINE/graft.nii.gz"} <= files


def test_a_manifest_in_parquet_says_the_same_as_one_in_csv(images, tmp_path):
    rows = [("A", "P01", "in/P01"), ("B", "P01", "in/P02")]
    save_manifest(tmp_path / "m.csv", rows)
    columns = dict(zip(("site", "subject", "path"), zip(*rows, strict=True), strict=True))
    pq.write_table(pa.table(columns), tmp_path / "m.parquet")
    units = [load_manifest(tmp_path / name, "X") for name in ("m.csv", "m.parquet")]
    assert [[(u.name, u.inputs) for u in us] for us in units] == 2 * [
        [(("A", "P01"), (images / "P01",)), (("B", "P01"), (images / "P02",))]
    ]


def test_rows_of_one_subject_are_its_visits_and_a_manifest_without_site_takes_the_option(
    images, order, tmp_path
):
    shutil.move(images / "P02" / "BASELINE", images / "P02" / "D28")
    rows = [("T9", "in/P01/BASELINE"), ("T9", "in/P02/D28")]
    path = save_manifest(tmp_path / "m.csv", rows, ("subject", "path"))
    # NIfTI files named by folders are of two subjects here, and nobody else says otherwise.
    (unit,) = load_manifest(path, "HOME")
    assert unit.name == ("HOME", "T9")
    told, _ = do_all([unit], order)
    assert told.became == {"T9": "set_aside"}
    assert told.answers[0].code == "manifest_people"
    shutil.move(images / "P02" / "D28", images / "P01" / "D28")
    save_manifest(
        tmp_path / "m.csv",
        [("T9", "in/P01/BASELINE"), ("T9", "in/P01/D28")],
        ("subject", "path"),
    )
    told, _ = do_all(load_manifest(path, "HOME"), order)
    assert told.became == {"T9": "assessed"}
    assert len(committed(open_place(order.store))["T9"].rows) == 2


def test_images_that_state_another_trial_subject_than_the_manifest_are_refused(order, tmp_path):
    rows = [("A", "S03", Path(__file__).parents[1] / "sample_dicom" / "subjects" / "S07")]
    units = load_manifest(save_manifest(tmp_path / "m.csv", rows), "A")
    told, _ = do_all(units, order)
    assert told.answers[0].code == "manifest_other"
    assert "S07" in told.answers[0].message


@pytest.mark.parametrize(
    ("header", "row", "why"),
    [
        ("subject,site", "P01,A", "line 1: no column path"),
        ("subject,path", "P01,", "line 2: no path"),
        ("subject,path", ",in", "line 2: no subject"),
        ("subject,path", "../up,in", "other signs"),
    ],
)
def test_a_manifest_that_is_not_of_its_form_is_refused_with_the_line(tmp_path, header, row, why):
    (tmp_path / "m.csv").write_text(f"{header}\n{row}\n")
    with pytest.raises(UsageError, match=why):
        load_manifest(tmp_path / "m.csv", "A")


def test_what_is_no_table_is_refused(tmp_path):
    (tmp_path / "m.parquet").write_text("no table")
    with pytest.raises(UsageError, match="ArrowInvalid"):
        load_manifest(tmp_path / "m.parquet", "A")


def test_a_path_that_a_worker_does_not_see_is_said(order, tmp_path):
    units = load_manifest(save_manifest(tmp_path / "m.csv", [("A", "P01", "gone")]), "A")
    told, _ = do_all(units, order)
    assert told.answers[0].code == "manifest_path"


def test_a_subject_given_twice_and_a_source_that_is_not_there_are_refused(images, tmp_path):
    manifest = save_manifest(tmp_path / "m.csv", [("A", "P01", "in/P01")])
    with pytest.raises(UsageError, match="P01 of site A is given twice"):
        source_of((manifest, images), PROTOCOL, "A")
    with pytest.raises(UsageError, match="gone"):
        source_of((tmp_path / "gone",), PROTOCOL, "A")


def test_reports_in_a_language_that_there_is_not_are_refused():
    with pytest.raises(UsageError, match="tlh"):
        ordered(Order("store", PROTOCOL, "tlh"))


def test_memory_that_does_not_suffice_is_said_and_retry_tries_again(images, order, monkeypatch):
    def hungry(*_):
        raise MemoryError

    with monkeypatch.context() as patched:
        patched.setattr(work, "assess", hungry)
        told, _ = do_all(units_of(images)[:1], order)
        assert told.answers[0].code == "unit_memory"
    told, _ = do_all(units_of(images)[:1], order)
    assert told.became == {"P01": "set_aside"}
    told, _ = do_all(units_of(images)[:1], order, retry=True)
    assert told.became == {"P01": "assessed"}
    assert open_place(order.store).entries("aside") == []


def test_a_worker_may_not_take_more_memory_than_it_was_given():
    with local_pool(1, memory_gb=0.5) as pool, pytest.raises(MemoryError):
        pool.executor.submit(bytearray, 2**30).result()


def test_a_fault_of_ours_stops_one_subject_and_is_said(images, order, monkeypatch):
    def faulty(subject, *_):
        raise ZeroDivisionError(subject.id)

    monkeypatch.setattr(work, "assess", faulty)
    told, tally = do_all(units_of(images)[:1], order)
    assert told.answers[0].code == "unit_failed"
    assert "ZeroDivisionError" in told.answers[0].message
    assert tally.assessed == 0


class Gone(Executor):
    """A cluster that is lost when it is given work."""

    def submit(self, *_):
        future = Future()
        future.set_exception(ConnectionError())
        return future


def test_a_cluster_that_goes_away_stops_the_batch_and_blames_no_subject(images, order):
    pool = Pool(Gone(), lambda: 1, (), (ConnectionError,))
    with pytest.raises(NodeError, match="cluster is gone"):
        do_all_on(pool, units_of(images), order)
    assert open_place(order.store).entries("aside") == []


class Leaves(Executor):
    """A pool whose only worker dies of the first subject it is given, and comes back when told."""

    def __init__(self):
        self.room, self.threads = 1, ThreadPoolExecutor(1)

    def submit(self, *arguments):
        future = Future()
        if self.room == 1:
            self.room = 0
            future.set_exception(ChildProcessError())
            return future
        return self.threads.submit(*arguments)


def test_a_pool_without_workers_or_work_handed_out_is_watched_until_it_has_some(images, order):
    pool = Leaves()
    told = Told()

    def deserted(patience_s):
        told.absences.append(patience_s)
        pool.room = 2

    told.deserted = deserted
    run(
        units_of(images)[:1],
        order,
        prepared(order.store),
        Pool(pool, lambda: pool.room, (ChildProcessError,), patience_s=60.0),
        told,
    )
    assert told.became == {"P01": "assessed"}
    assert told.absences == [60.0, None]


def test_patience_with_a_pool_that_nobody_returns_to_ends_and_blames_no_subject(images, order):
    pool = Leaves()
    with pytest.raises(NodeError, match="no worker for 0 s"):
        do_all_on(Pool(pool, lambda: pool.room, (ChildProcessError,)), units_of(images), order)


def test_without_dask_the_option_names_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(UsageError, match=r"graftsite\[cluster\]"), cluster_pool("tcp://x:1", 1):
        pass


def test_the_stamp_of_a_subject_changes_when_a_file_goes(images, order):
    (unit,) = load_manifest(save_manifest(images / "m.csv", [("A", "P01", "P01")]), "A")
    before = unit.stamp(order)
    assert unit.stamp(order) == before
    (images / "P01" / "BASELINE" / "t2w_fs.nii.gz").unlink()
    assert unit.stamp(order) != before
    shutil.rmtree(images / "P01")
    assert unit.stamp(order) != before
