import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from reading_room import BASELINE, CHEAP, LARGER, STABLE, block
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from readers import adjudication, assigning, cases, masks, queries, reading, schema, worklist
from readers.actor import SYSTEM
from readers.anchor import make_anchor
from readers.errors import AuditError, StoreError
from readers.store import open_store
from readers.tables import APPEND_ONLY, metadata
from readers.verification import verify

OVERFLOW = 10
"""Connections beyond its size that SQLAlchemy's pool opens, by its documentation."""


def test_a_new_store_has_exactly_the_tables_the_program_works_with(store_url):
    store = open_store(store_url)
    with store.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
        assert schema.current(connection) == schema.newest() == "0001"
    store.close()


def test_opening_a_store_again_changes_nothing(store_url):
    for _ in range(2):
        store = open_store(store_url)
        with store.reading() as connection:
            assert connection.execute(text("SELECT count(*) FROM audit")).scalar() == 0
        store.close()


def test_two_processes_may_make_the_same_store_at_once(store_url):
    program = f"from readers.store import open_store; open_store({store_url!r}).close()"
    both = [subprocess.Popen([sys.executable, "-c", program]) for _ in range(2)]
    assert [process.wait(timeout=60) for process in both] == [0, 0]


def test_sqlite_writes_ahead_checks_foreign_keys_and_waits_for_others(tmp_path):
    store = open_store(f"sqlite:///{tmp_path / 'reads.sqlite'}")
    with store.reading() as connection:

        def setting(name):
            return connection.execute(text(f"PRAGMA {name}")).scalar()

        assert setting("journal_mode") == "wal"
        assert setting("foreign_keys") == 1
        assert setting("synchronous") == 2  # FULL: what was saved survives a power cut
        assert setting("busy_timeout") == 10_000
    store.close()


@pytest.mark.parametrize(
    "url",
    [
        "",
        "reads.sqlite",
        "mysql://u:secret@h/d",
        "sqlite+nodriver:///x",
        "postgresql+no://h/d",
        "sqlite://",
        "sqlite:///:memory:",
    ],
)
def test_an_address_that_is_none_is_refused_without_its_password(url):
    with pytest.raises(StoreError, match="neither sqlite") as refused:
        open_store(url)
    assert "secret" not in str(refused.value)


def test_a_database_that_cannot_be_reached_is_told_without_its_password(tmp_path):
    for url in (
        f"sqlite:///{tmp_path / 'no' / 'folder' / 'x.sqlite'}",
        f"postgresql://u:secret@/d?host={tmp_path}",
    ):
        with pytest.raises(StoreError, match="cannot be used now") as refused:
            open_store(url)
        assert "secret" not in str(refused.value)


def test_a_file_that_is_no_database_is_left_alone(tmp_path):
    file = tmp_path / "holiday.jpg"
    file.write_bytes(b"not a database, but long enough to be taken for a page" * 100)
    before = file.read_bytes()
    with pytest.raises(StoreError, match="cannot be used now"):
        open_store(f"sqlite:///{file}")
    assert file.read_bytes() == before


def test_a_database_of_something_else_is_left_alone(store_url):
    engine = create_engine(store_url)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE invoices (id INTEGER)"))
    with pytest.raises(StoreError, match="something else"):
        open_store(store_url)
    with engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM invoices")).scalar() == 0
    engine.dispose()


def test_a_store_of_a_newer_program_is_left_alone(store_url):
    open_store(store_url).close()
    engine = create_engine(store_url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    engine.dispose()
    with pytest.raises(StoreError, match=r"version 9999, this program knows up to 0001"):
        open_store(store_url)


def test_a_store_that_too_many_use_at_once_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr("readers.store.BUSY_MS", 50)
    store = open_store(f"sqlite:///{tmp_path / 'reads.sqlite'}")
    with ExitStack() as others:
        for _ in range(store.engine.pool.size() + OVERFLOW):
            others.enter_context(store.engine.connect())
        with pytest.raises(StoreError, match="Too many use the store"), store.reading():
            pytest.fail("there was a connection")
    with store.reading() as connection:
        assert connection.execute(text("SELECT 1")).scalar() == 1
    store.close()


def filled(room):
    """Let everything happen once, so that every append-only table has a row."""
    version = room.case(labels=("BASELINE", "D28"))
    cases.set_allocation(room.store, room.coordinator, "S01", "high", "1.7e8")
    room.assign()
    masks.keep_machine(room.store, room.coordinator, version.id, "D28", "graft", block())
    for name, answers in (("reader1", STABLE), ("reader2", LARGER)):
        read = room.draft(name, BASELINE)
        made = masks.keep(room.store, room.people[name], read.id, block(), "seeded")
        masks.keep_measured(room.store, room.people[name], read.id, made.id, {"volume_ml": 1.0})
        with pytest.raises(Exception, match="Another tab"):
            reading.save_draft(room.store, room.people[name], read.id, revision=1, answers={})
        read = room.lock(name, BASELINE)
        reading.machine_values(room.store, room.people[name], read.id)
        room.lock(name, answers)
    (dispute,) = adjudication.open_items(room.store, room.judge)
    adjudication.decide(room.store, room.judge, dispute.id, "first", room.pen("judge", "clear"))
    query = queries.ask(room.store, room.coordinator, read.id, "Why?")
    queries.answer(room.store, room.reader2, query, "Because.")


def test_the_database_itself_refuses_to_change_or_delete_what_is_kept(room):
    filled(room)
    postgresql = room.store.engine.dialect.name == "postgresql"
    for table in APPEND_ONLY:
        column = metadata.tables[table].columns.keys()[1]
        attacks = [f"UPDATE {table} SET {column} = {column}", f"DELETE FROM {table}"]
        attacks += [f"TRUNCATE {table} CASCADE"] if postgresql else [
            f"INSERT OR REPLACE INTO {table} SELECT * FROM {table}"
        ]  # fmt: skip
        for attack in attacks:
            with room.store.engine.connect() as connection:
                count = connection.execute(text(f"SELECT count(*) FROM {table}")).scalar()
                assert count > 0, table
                with pytest.raises(DBAPIError, match=r"append-only|no gaps"):
                    connection.execute(text(attack))
                connection.rollback()
                assert connection.execute(text(f"SELECT count(*) FROM {table}")).scalar() == count
    assert verify(room.store).faults == ()


def test_the_database_itself_refuses_to_change_the_draft_of_a_signed_read(room):
    room.case()
    room.assign()
    read = room.draft("reader1", BASELINE)
    with room.store.engine.begin() as connection:
        connection.execute(text("UPDATE draft SET revision = revision"))
    room.lock("reader1", BASELINE)
    for attack in ("UPDATE draft SET revision = 99", "DELETE FROM draft", "DELETE FROM account"):
        with room.store.engine.connect() as connection:
            with pytest.raises(DBAPIError, match=r"is signed|append-only|never deleted"):
                connection.execute(text(attack))
            connection.rollback()
    assert reading.load(room.store, room.reader1, read.id).revision == 3


def test_the_database_itself_refuses_an_audit_number_out_of_turn(room):
    row = "'t','a','r','x','y',NULL,NULL,NULL,'p','{}'"
    for seq in (0, 1, 99):
        with room.store.engine.connect() as connection:
            with pytest.raises(DBAPIError, match=r"no gaps|append-only"):
                connection.execute(text(f"INSERT INTO audit VALUES ({seq},{row.format(seq)})"))
            connection.rollback()


def test_two_readers_saving_at_once_lose_nothing(room):
    room.case("S01", ("BASELINE",))
    room.assign()
    failures = []

    def save_often(name):
        try:
            read = room.draft(name, {})
            for n in range(15):
                read = reading.save_draft(
                    room.store, room.people[name], read.id, revision=read.revision,
                    answers={"comment": f"{name} {n}"},
                )  # fmt: skip
        except Exception as error:  # noqa: BLE001 -- a thread's error has to reach the test
            failures.append(error)

    threads = [threading.Thread(target=save_often, args=(n,)) for n in ("reader1", "reader2")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    for name, read_id in zip(("reader1", "reader2"), (1, 2), strict=True):
        reads = [worklist.of_reader(room.store, room.people[name])[0].visits[0].read_id]
        read = reading.load(room.store, room.people[name], reads[0])
        assert read.content.answers["comment"] == f"{name} 14"
        assert read.revision == 17
        assert read_id
    assert verify(room.store).faults == ()


def test_of_many_tabs_saving_the_same_revision_exactly_one_wins(room):
    room.case("S01", ("BASELINE",))
    room.assign()
    read = room.draft("reader1", {})
    results = []

    def save(n):
        try:
            reading.save_draft(
                room.store, room.reader1, read.id, revision=read.revision,
                answers={"comment": f"tab {n}"},
            )  # fmt: skip
            results.append(("saved", n))
        except Exception as error:  # noqa: BLE001 -- a thread's error has to reach the test
            results.append((type(error).__name__, getattr(error, "kept", error)))

    threads = [threading.Thread(target=save, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(kind for kind, _ in results) == ["DraftConflictError"] * 5 + ["saved"]
    numbers = [kept for kind, kept in results if kind != "saved"]
    copies = [reading.copy(room.store, room.reader1, read.id, number) for number in numbers]
    winner = next(n for kind, n in results if kind == "saved")
    kept = {c.answers["comment"] for c in copies} | {f"tab {winner}"}
    assert kept == {f"tab {n}" for n in range(6)}


SAVING = """
    import sys
    from reading_room import CHEAP, password_of
    from readers import reading, sessions, worklist
    from readers.anchor import make_anchor
    from readers.store import open_store
    from pathlib import Path

    store = open_store(sys.argv[1], policy=CHEAP, anchor=make_anchor(Path(sys.argv[2])))
    actor = sessions.sign_in(store, "reader1", password_of("reader1")).actor
    item = worklist.of_reader(store, actor)[0]
    read = reading.open_read(store, actor, item.id, "BASELINE")
    n = read.revision
    while True:
        read = reading.save_draft(
            store, actor, read.id, revision=read.revision, answers={"comment": f"save {n}"}
        )
        n = read.revision
        print(n, flush=True)
"""


def test_a_server_killed_in_the_middle_of_a_save_leaves_a_whole_store(room, tmp_path):
    room.case("S01", ("BASELINE",))
    room.assign()
    read = room.draft("reader1", {"comment": "save 1"})
    url = room.store.engine.url.render_as_string(hide_password=False)
    keys = tmp_path / "keys"
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parent)}
    told = read.revision
    for pause in (0.0, 0.03, 0.11):
        process = subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(SAVING), url, str(keys)],
            stdout=subprocess.PIPE, text=True, env=environment,
        )  # fmt: skip
        for _ in range(5):
            told = int(process.stdout.readline())
        time.sleep(pause)
        process.send_signal(signal.SIGKILL)
        rest = process.communicate()[0].split()
        told = int(rest[-1]) if rest else told
        now = reading.load(room.store, room.reader1, read.id)
        # What the client was told is there; at most one more had been written and not yet told.
        assert told <= now.revision <= told + 1
        assert now.content.answers["comment"] == f"save {now.revision - 1}"
    found = verify(room.store)
    assert found.faults == ()
    # The store can be opened with its anchor again, which a killed server may have left behind.
    reopened = open_store(url, policy=CHEAP, anchor=make_anchor(keys))
    reopened.close()


def test_a_clock_set_back_is_told_and_changes_no_order(room):
    room.case("S01", ("BASELINE",))
    room.assign()
    read = room.draft("reader1", {"comment": "before"})
    room.clock.now -= timedelta(days=400)
    read = reading.save_draft(
        room.store, room.reader1, read.id, revision=read.revision, answers={"comment": "after"}
    )
    assert read.content.answers["comment"] == "after"
    with room.store.reading() as connection:
        rows = connection.execute(text("SELECT seq, at, action FROM audit ORDER BY seq")).all()
    assert [r.seq for r in rows] == list(range(1, len(rows) + 1))
    assert [r.action for r in rows[-2:]] == ["clock.set_back", "draft.saved"]
    assert rows[-1].at < rows[-3].at
    found = verify(room.store)
    assert (found.faults, found.clock_set_back) == ((), 1)
    locked = room.lock("reader1", BASELINE)
    assert locked.current.version == 1


def test_nothing_of_a_transaction_that_fails_is_kept(room):
    with pytest.raises(RuntimeError, match="half way"), room.store.writing(SYSTEM) as writing:
        writing.record("test.done", "nothing")
        raise RuntimeError("half way")
    with room.store.reading() as connection:
        query = text("SELECT count(*) FROM audit WHERE action = 'test.done'")
        assert connection.execute(query).scalar() == 0


def test_a_mistake_of_the_program_is_not_told_as_the_database_s(room):
    with pytest.raises(IntegrityError), room.store.writing(SYSTEM) as writing:
        writing.execute(text("INSERT INTO session VALUES ('t', 999, 'a', 'b')"))


def test_a_full_or_read_only_disk_is_told_and_nothing_was_changed(tmp_path):
    file = tmp_path / "reads.sqlite"
    store = open_store(f"sqlite:///{file}")
    with store.engine.connect() as connection:
        connection.execute(text("PRAGMA max_page_count = 1"))
        with pytest.raises(StoreError, match="nothing was changed"), store.writing(SYSTEM) as w:
            w.connection.execute(text("PRAGMA query_only = ON"))
            w.record("test.done", "nothing")
    store.close()


def test_a_store_behind_its_anchor_is_not_worked_on(store_url, tmp_path):
    anchor = make_anchor(tmp_path / "keys")
    store = open_store(store_url, anchor=anchor)
    for n in range(3):
        with store.writing(SYSTEM) as writing:
            writing.record("test.done", str(n))
    store.close()
    other = f"sqlite:///{tmp_path / 'other.sqlite'}"
    with pytest.raises(AuditError, match="0 audit entries, the anchor vouches for 3"):
        open_store(other, anchor=anchor)


def test_a_withdrawn_assignment_is_the_one_thing_of_it_that_changes(room):
    room.case()
    first, _ = room.assign()
    assigning.withdraw(room.store, room.coordinator, first, "ill")
    with room.store.engine.connect() as connection:
        with pytest.raises(DBAPIError):
            connection.execute(text("DELETE FROM assignment"))
        connection.rollback()
