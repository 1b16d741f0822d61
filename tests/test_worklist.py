import json
from dataclasses import replace
from importlib.resources import files

import numpy as np
import pytest
from reading_room import (
    BASELINE,
    GRID,
    PROTOCOL,
    STABLE,
    VISITS,
    case_visits,
    machine,
)

from imaging.visit import VisitName
from readers import assigning, cases, reading, worklist
from readers.actor import Role
from readers.errors import (
    AccountError,
    CaseError,
    ForbiddenError,
    NotFoundError,
    OrderError,
    ParadigmError,
    ReasonError,
)
from readers.paradigm import Paradigm, load_paradigm
from readers.worklist import VisitState

WAITING, OPEN, LOCKED = VisitState.WAITING, VisitState.OPEN, VisitState.LOCKED


def changed(**sections):
    """Return the trial's paradigm with some values changed."""
    raw = load_paradigm().model_dump(mode="json")
    for section, values in sections.items():
        raw[section] |= values
    return Paradigm.model_validate_json(json.dumps(raw))


def states(item):
    return [v.state for v in item.visits]


def test_visits_open_one_after_the_other_and_there_is_no_going_back(room):
    room.case()
    room.assign()
    item = room.item("reader1")
    assert states(item) == [OPEN, WAITING, WAITING]
    with pytest.raises(OrderError, match="M3 opens when visit BASELINE is signed"):
        reading.open_read(room.store, room.reader1, item.id, "M3")
    locked = room.lock("reader1", BASELINE)
    assert states(room.item("reader1")) == [LOCKED, OPEN, WAITING]
    with pytest.raises(OrderError, match="is signed"):
        reading.save_draft(
            room.store, room.reader1, locked.id, revision=locked.revision, answers=STABLE
        )
    assert reading.open_read(room.store, room.reader1, item.id, "BASELINE").current


def test_a_paradigm_may_leave_all_visits_open(sqlite_room):
    sqlite_room.case()
    sqlite_room.assign(paradigm=changed(order={"locked_as_read": False}))
    assert states(sqlite_room.item("reader1")) == [OPEN, OPEN, OPEN]


def test_a_reader_sees_a_neutral_code_and_nothing_of_the_case(sqlite_room):
    sqlite_room.case("SECRET-SUBJECT-7")
    cases.set_allocation(
        sqlite_room.store, sqlite_room.coordinator, "SECRET-SUBJECT-7", "high-dose-arm", "1.7e8"
    )
    sqlite_room.assign("SECRET-SUBJECT-7")
    first, second = sqlite_room.item("reader1"), sqlite_room.item("reader2")
    assert first.code != second.code
    read = sqlite_room.draft("reader1", BASELINE)
    shown = repr((first, read))
    assert "SECRET" not in shown
    assert "high" not in shown.replace("slightly_higher", "")


def test_another_s_case_cannot_be_opened_loaded_saved_or_looked_at(room):
    room.case()
    room.assign()
    item = room.item("reader1")
    read = room.draft("reader1", BASELINE)
    other, store = room.reader2, room.store
    attempts = [
        lambda: reading.open_read(store, other, item.id, "BASELINE"),
        lambda: reading.load(store, other, read.id),
        lambda: reading.save_draft(store, other, read.id, revision=2, answers={}),
        lambda: reading.machine_values(store, other, read.id),
        lambda: worklist.image_source(store, other, item.id, "BASELINE", "BASELINE"),
        lambda: worklist.viewable_visits(store, other, item.id, "BASELINE"),
        lambda: reading.load(store, other, 999),
        lambda: reading.load(store, room.coordinator, read.id),
    ]
    for attempt in attempts:
        with pytest.raises(ForbiddenError, match="not yours"):
            attempt()
    assert worklist.of_reader(store, other)[0].id != item.id


@pytest.mark.parametrize("name", ["coordinator", "judge", "admin"])
def test_only_readers_have_a_worklist(sqlite_room, name):
    with pytest.raises(ForbiddenError, match="for the role reader"):
        worklist.of_reader(sqlite_room.store, sqlite_room.people[name])


def test_the_time_strip_ends_with_the_visit_that_is_read(sqlite_room):
    sqlite_room.case()
    sqlite_room.assign()
    sqlite_room.lock("reader1", BASELINE)
    item = sqlite_room.item("reader1")
    store, actor = sqlite_room.store, sqlite_room.reader1
    strip = worklist.viewable_visits(store, actor, item.id, "D28")
    assert [v.label for v in strip] == ["BASELINE", "D28"]
    assert worklist.image_source(store, actor, item.id, "D28", "D28").case_version == 1
    source = worklist.image_source(store, actor, item.id, "D28", "BASELINE")
    assert (source.case_id, source.images["t2w_fs"]) == ("S01", f"{0:064x}")
    assert source.grid.same_grid(GRID)
    with pytest.raises(ForbiddenError, match="may not be seen yet"):
        worklist.image_source(store, actor, item.id, "D28", "M3")
    with pytest.raises(OrderError):
        worklist.image_source(store, actor, item.id, "M3", "M3")
    with pytest.raises(NotFoundError, match="no visit M99"):
        worklist.image_source(store, actor, item.id, "M99", "BASELINE")


def test_in_random_order_the_baseline_is_first_and_time_points_are_not_told(sqlite_room):
    sqlite_room.case(labels=tuple(VISITS))
    sqlite_room.assign(paradigm=changed(order={"visits": "random", "seed": 3}))
    orders = []
    for name in ("reader1", "reader2"):
        item = sqlite_room.item(name)
        assert item.visits[0].label == "BASELINE"
        assert [v.shown for v in item.visits] == ["BASELINE", "#2", "#3", "#4", "#5"]
        assert item == sqlite_room.item(name)
        orders.append([v.label for v in item.visits])
    assert sorted(orders[0]) == sorted(orders[1]) == sorted(VISITS)
    assert orders[0] != orders[1]
    assert orders[0] != list(VISITS)


def test_in_random_order_one_sees_the_baseline_and_the_visit_that_is_read(sqlite_room):
    sqlite_room.case()
    paradigm = changed(order={"visits": "random"})
    sqlite_room.assign(readers=("reader1",), paradigm=paradigm)
    sqlite_room.lock("reader1", BASELINE)
    item = sqlite_room.item("reader1")
    now = item.next_visit.label
    store, actor = sqlite_room.store, sqlite_room.reader1
    strip = worklist.viewable_visits(store, actor, item.id, now)
    assert [v.label for v in strip] == ["BASELINE", now]
    answers = {k: v for k, v in STABLE.items() if k != "size_versus_nadir"}
    assert sqlite_room.lock("reader1", answers).shown_visit == "#2"
    sqlite_room.lock("reader1", answers)
    assert len(worklist.viewable_visits(store, actor, item.id, now)) == 3


def test_cases_come_in_random_order_by_seed_or_as_registered(sqlite_room):
    names = [f"S{n:02d}" for n in range(8)]
    for name in names:
        sqlite_room.case(name, ("BASELINE",))
        sqlite_room.assign(name, ("reader1",))
        sqlite_room.assign(name, ("reader2",), changed(order={"cases": "registered"}))

    def order(name):
        actor = sqlite_room.people[name]
        ids = [i.id for i in worklist.of_reader(sqlite_room.store, actor)]
        known = assigning.progress(sqlite_room.store, sqlite_room.coordinator)
        return [next(p.case_id for p in known if p.assignment_id == i) for i in ids]

    assert sorted(order("reader1")) == names
    assert order("reader1") != names
    assert order("reader2") == names


def test_a_started_case_comes_first_and_a_finished_one_last(sqlite_room):
    for name in ("S01", "S02", "S03"):
        sqlite_room.case(name, ("BASELINE",))
        sqlite_room.assign(name, ("reader1",))
    items = worklist.of_reader(sqlite_room.store, sqlite_room.reader1)
    sqlite_room.lock("reader1", BASELINE, item=items[0])
    sqlite_room.draft("reader1", BASELINE, item=items[2])
    now = worklist.of_reader(sqlite_room.store, sqlite_room.reader1)
    assert [i.id for i in now] == [items[2].id, items[1].id, items[0].id]


def test_a_case_goes_to_two_different_readers_and_no_more(sqlite_room):
    sqlite_room.case()
    with pytest.raises(CaseError, match="has this case already"):
        sqlite_room.assign(readers=("reader1", "reader1"))
    with pytest.raises(AccountError, match="no open account of a reader"):
        sqlite_room.assign(readers=("judge",))
    with pytest.raises(NotFoundError, match="no account nobody"):
        sqlite_room.assign(readers=("nobody",))
    with pytest.raises(NotFoundError, match="no case S99"):
        sqlite_room.assign("S99")
    with pytest.raises(ForbiddenError):
        assigning.assign(
            sqlite_room.store, sqlite_room.reader1, "S01", ["reader1"], load_paradigm()
        )
    sqlite_room.assign()
    with pytest.raises(CaseError, match="has this case already"):
        sqlite_room.assign(readers=("reader1",))
    sqlite_room.hire("reader3", Role.READER)
    with pytest.raises(CaseError, match="2 readers a case"):
        sqlite_room.assign(readers=("reader3",))


def test_a_withdrawn_case_leaves_the_worklist_and_its_slot_is_free(sqlite_room):
    sqlite_room.case()
    first, _ = sqlite_room.assign()
    with pytest.raises(ReasonError):
        assigning.withdraw(sqlite_room.store, sqlite_room.coordinator, first, "")
    assigning.withdraw(sqlite_room.store, sqlite_room.coordinator, first, "knows the patient")
    assert worklist.of_reader(sqlite_room.store, sqlite_room.reader1) == ()
    with pytest.raises(ForbiddenError):
        reading.open_read(sqlite_room.store, sqlite_room.reader1, first, "BASELINE")
    with pytest.raises(NotFoundError, match="withdrawn already"):
        assigning.withdraw(sqlite_room.store, sqlite_room.coordinator, first, "again")
    sqlite_room.hire("reader3", Role.READER)
    sqlite_room.assign(readers=("reader3",))
    slots = {
        p.reader: p.slot for p in assigning.progress(sqlite_room.store, sqlite_room.coordinator)
    }
    assert slots == {"reader2": 2, "reader3": 1}


def test_re_reads_are_drawn_once_by_seed_and_come_after_the_washout_unmarked(sqlite_room):
    paradigm = changed(rereads={"fraction": 0.5})
    for n in range(10):
        sqlite_room.case(f"S{n:02d}", ("BASELINE",))
        sqlite_room.assign(f"S{n:02d}", ("reader1",), paradigm)
    for item in worklist.of_reader(sqlite_room.store, sqlite_room.reader1)[:9]:
        sqlite_room.lock("reader1", BASELINE, item=item)
    coordinator = sqlite_room.coordinator
    planned = assigning.plan_rereads(sqlite_room.store, coordinator)
    assert 1 <= planned <= 9
    assert assigning.plan_rereads(sqlite_room.store, coordinator) == 0
    assert len(worklist.of_reader(sqlite_room.store, sqlite_room.reader1)) == 10
    sqlite_room.clock.now = sqlite_room.clock.now.replace(month=6)
    items = worklist.of_reader(sqlite_room.store, sqlite_room.reader1)
    assert len(items) == 10 + planned
    rereads = {p.code for p in assigning.progress(sqlite_room.store, coordinator) if p.is_reread}
    assert len(rereads) == planned
    again = next(i for i in items if i.code in rereads)
    fields = {k: type(getattr(again, k)) for k in again.__slots__}
    assert fields == {k: type(getattr(items[0], k)) for k in items[0].__slots__}
    assert "reread" not in repr(items).lower()
    read = sqlite_room.lock("reader1", BASELINE, item=again)
    assert read.current.endpoints["fat_absence"] == "favorable"


def test_in_registered_order_re_reads_lie_between_the_cases_that_wait(sqlite_room):
    paradigm = changed(rereads={"fraction": 1.0, "washout_days": 0}, order={"cases": "registered"})
    for n in range(12):
        sqlite_room.case(f"S{n:02d}", ("BASELINE",))
        sqlite_room.assign(f"S{n:02d}", ("reader1",), paradigm)
    for item in worklist.of_reader(sqlite_room.store, sqlite_room.reader1)[:4]:
        sqlite_room.lock("reader1", BASELINE, item=item)
    assert assigning.plan_rereads(sqlite_room.store, sqlite_room.coordinator) == 4
    waiting = [
        i for i in worklist.of_reader(sqlite_room.store, sqlite_room.reader1) if not i.started
    ]
    ids = [i.id for i in waiting]
    assert len(ids) == 12
    assert ids != sorted(ids)


def test_a_re_read_when_nothing_waits_comes_last(sqlite_room):
    paradigm = changed(rereads={"fraction": 1.0, "washout_days": 0}, order={"cases": "registered"})
    sqlite_room.case("S01", ("BASELINE",))
    sqlite_room.assign("S01", ("reader1",), paradigm)
    sqlite_room.lock("reader1", BASELINE)
    assert assigning.plan_rereads(sqlite_room.store, sqlite_room.coordinator) == 1
    assert sqlite_room.item("reader1").started is False


def test_the_coordinator_sees_how_far_everybody_is(sqlite_room):
    sqlite_room.case()
    sqlite_room.assign()
    sqlite_room.lock("reader1", BASELINE)
    first, second = assigning.progress(sqlite_room.store, sqlite_room.coordinator)
    assert (first.reader, first.case_id, first.slot) == ("reader1", "S01", 1)
    assert [v.state for v in first.visits] == [LOCKED, OPEN, WAITING]
    assert [v.state for v in second.visits] == [OPEN, WAITING, WAITING]
    with pytest.raises(ForbiddenError):
        assigning.progress(sqlite_room.store, sqlite_room.reader1)


def test_a_read_stays_bound_to_the_case_version_it_was_opened_on(room):
    room.case()
    room.assign()
    old = room.draft("reader1", BASELINE)
    assert room.case().version == 1  # the same content is the same version
    assert room.case(salt=7).version == 2
    saved = reading.save_draft(
        room.store, room.reader1, old.id, revision=old.revision, answers=BASELINE
    )
    assert saved.images == old.images
    assert (saved.case_version, saved.newer_version) == (1, True)
    locked = room.lock("reader1", BASELINE)
    assert locked.images == old.images
    item = room.item("reader1")
    source = worklist.image_source(room.store, room.reader1, item.id, "D28", "BASELINE")
    assert (source.case_version, source.images) == (1, old.images)
    assert room.draft("reader2", BASELINE).case_version == 2
    assert room.draft("reader1", STABLE).case_version == 2
    stale = {p.reader: p.stale_visits for p in assigning.progress(room.store, room.coordinator)}
    assert stale == {"reader1": ("BASELINE",), "reader2": ()}


def test_a_visit_that_came_later_is_read_when_its_time_has_come(sqlite_room):
    sqlite_room.case(labels=("BASELINE",))
    sqlite_room.assign()
    sqlite_room.lock("reader1", BASELINE)
    assert sqlite_room.item("reader1").next_visit is None
    sqlite_room.case(labels=("BASELINE", "D28"))
    assert sqlite_room.item("reader1").next_visit.label == "D28"
    progress = assigning.progress(sqlite_room.store, sqlite_room.coordinator)
    assert [p.stale_visits for p in progress] == [(), ()]  # what was read has not changed
    read_id = sqlite_room.item("reader1").visits[0].read_id
    assert not reading.load(sqlite_room.store, sqlite_room.reader1, read_id).newer_version


def test_a_visit_that_a_reader_has_opened_cannot_be_dropped(sqlite_room):
    sqlite_room.case()
    sqlite_room.assign()
    sqlite_room.draft("reader1", BASELINE)
    with pytest.raises(CaseError, match="has opened BASELINE"):
        cases.register(sqlite_room.store, sqlite_room.coordinator, "S01", case_visits(("D28",)))


def visit(**changes):
    return replace(case_visits(("BASELINE",))[0], **changes)


@pytest.mark.parametrize(
    ("case_id", "visits", "results", "code"),
    [
        ("", [visit()], None, "case_name"),
        ("x" * 65, [visit()], None, "case_name"),
        ("a\nb", [visit()], None, "case_name"),
        ("S01", [visit(label="")], None, "case_name"),
        ("S01", [], None, "case_visits"),
        ("S01", [visit(), visit(baseline=False)], None, "case_visits"),
        ("S01", [visit(label="A"), visit(label="B")], None, "case_baseline"),
        ("S01", [visit()], {"M3": {}}, "case_machine"),
        ("S01", [visit(images={})], None, "case_images"),
        ("S01", [visit(images={"ct": "0" * 64})], None, "case_images"),
        ("S01", [visit(images={"t2w_fs": "no hash"})], None, "case_images"),
        ("S01", [visit(grid=None)], None, "case_grid"),
        ("S01", [visit(images={"t1w_fs": "0" * 64})], None, "case_grid"),
    ],
)
def test_a_case_that_contradicts_itself_is_refused(sqlite_room, case_id, visits, results, code):
    with pytest.raises(CaseError) as refused:
        cases.register(sqlite_room.store, sqlite_room.coordinator, case_id, visits, results)
    assert refused.value.code == code


def test_a_case_comes_back_as_it_was_registered_to_the_last_bit(room):
    odd = np.array([[1 / 3, 0.1, 0, np.pi], [0, 2 / 7, 0, 1e-17], [0, 0.2, 4.1, 0], [0, 0, 0, 1]])
    grid = type(GRID)(odd, (5, 6, 7))
    cases.register(room.store, room.coordinator, "S07", [visit(grid=grid)], machine(("BASELINE",)))
    (version,) = cases.every(room.store, room.coordinator)
    (found,) = version.visits
    assert np.array_equal(found.grid.affine, odd)
    assert (found.grid.shape, found.grid.frame_of_reference) == ((5, 6, 7), None)
    assert found.images == visit().images
    with pytest.raises(NotFoundError, match="no visit M3"):
        version.visit("M3")


def test_arm_and_dose_are_for_coordinators_and_can_be_corrected(sqlite_room):
    sqlite_room.case()
    store, coordinator = sqlite_room.store, sqlite_room.coordinator
    assert cases.allocation(store, coordinator, "S01") is None
    cases.set_allocation(store, coordinator, "S01", "high", "1.7e8")
    cases.set_allocation(store, coordinator, "S01", "low", "1.6e7")
    assert cases.allocation(store, coordinator, "S01") == {"arm": "low", "dose": "1.6e7"}
    for name in ("reader1", "judge"):
        with pytest.raises(ForbiddenError):
            cases.allocation(store, sqlite_room.people[name], "S01")
    with pytest.raises(NotFoundError):
        cases.set_allocation(store, coordinator, "S99", "high", "1.7e8")
    with pytest.raises(CaseError, match="Arm and dose"):
        cases.set_allocation(store, coordinator, "S01", "x" * 65, "1")


@pytest.mark.parametrize(
    ("name", "days", "early"),
    [("D28", 38, True), ("D28", 39, False), ("D28", None, True), ("UNSCHEDULED", None, True),
     ("M3", None, False), ("UNSCHEDULED", 60, False)],
)  # fmt: skip
def test_the_early_days_are_the_machine_s(name, days, early):
    assert cases.is_early(VisitName(name), days, PROTOCOL) is early


def test_the_trial_s_paradigm_is_two_blinded_readers_in_order_of_time():
    paradigm = load_paradigm()
    assert paradigm.readers.per_case == 2
    assert paradigm.order.visits == "chronological"
    assert paradigm.order.locked_as_read
    assert not paradigm.blinding.machine_outline_before_lock
    assert paradigm.sha256 == load_paradigm().sha256


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("per_case = 2", "per_case = 3", "readers.per_case"),
        ('form = "1"', 'form = "9"', "no reading form of version 9"),
        ('["graft_seen"]', '["no_such"]', "no_such"),
        ("fraction = 0.10", "fraction = 1.5", "rereads.fraction"),
        ("[rereads]", "surprise = 1\n[rereads]", "surprise"),
        ("washout_days = 28", "", "rereads.washout_days"),
        ("per_case = 2", "per_case = ", "line"),
    ],
)
def test_a_paradigm_with_a_wrong_missing_or_unknown_key_is_refused(tmp_path, old, new, said):
    text = files("readers").joinpath("paradigms/nct07276568.toml").read_text("utf-8")
    assert old in text
    file = tmp_path / "own.toml"
    file.write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(ParadigmError, match=said):
        load_paradigm(file)


def test_a_paradigm_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(ParadigmError, match=r"gone\.toml cannot be read"):
        load_paradigm(tmp_path / "gone.toml")
