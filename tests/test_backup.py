import io
import json
import zipfile
from pathlib import Path

import pytest
from reading_room import BASELINE, CHEAP, block, open_room, password_of
from sqlalchemy import func, select, text
from test_store import filled

from readers import backup, masks, reading, schema, sessions, worklist
from readers.actor import SYSTEM
from readers.anchor import ANCHOR_FILE, load_anchored, make_anchor
from readers.errors import SessionError, StoreError
from readers.store import open_store
from readers.tables import APPEND_ONLY, metadata
from readers.verification import verify

RELEASED = sorted((Path(__file__).parent / "stores").glob("*.zip"))
"""A full store as each released schema version backed it up (see `make_released`)."""


def make_released(folder, scratch):
    """Write the backup of a full store under the schema's version: once for every release."""
    room = open_room(f"sqlite:///{scratch / 'reads.sqlite'}")
    filled(room)
    with (folder / f"{schema.newest()}.zip").open("wb") as file:
        backup.back_up(room.store, file)
    room.store.close()


def backed_up(room, tmp_path):
    file = tmp_path / "backup.zip"
    with file.open("wb") as target:
        entries = backup.back_up(room.store, target)
    return file, entries


def rows(store):
    with store.reading() as connection:
        return {
            name: sorted(map(repr, connection.execute(select(metadata.tables[name])).all()))
            for name in (*APPEND_ONLY, "account", "assignment", "draft")
        }


@pytest.fixture(params=["sqlite", "postgresql"])
def other_url(request, tmp_path):
    """Return the address of a second empty store, on either database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'other.sqlite'}"
    return request.getfixturevalue("postgresql")()


def test_a_backup_comes_back_row_for_row_on_either_database(room, other_url, tmp_path):
    filled(room)
    file, entries = backed_up(room, tmp_path)
    before = rows(room.store)
    assert backup.restore(file, other_url, reason="the disk failed") == entries
    store = open_store(other_url, policy=CHEAP)
    after = rows(store)
    told = [row for row in after["audit"] if "store.restored" in row]
    assert len(told) == 1
    assert "the disk failed" in told[0]
    after["audit"].remove(told[0])
    assert after == before
    assert verify(store).faults == ()
    store.close()


def test_a_restored_store_is_worked_on(room, other_url, tmp_path):
    filled(room)
    file, _ = backed_up(room, tmp_path)
    backup.restore(file, other_url, reason="a drill")
    store = open_store(other_url, policy=CHEAP)
    with pytest.raises(SessionError):
        sessions.resume(store, room.tokens["reader1"])
    actor = sessions.sign_in(store, "reader1", password_of("reader1")).actor
    assert reading.load(store, actor, 1).current is not None
    (own, *_) = masks.versions(store, actor, 1)
    assert masks.load(store, actor, 1, own.id).voxels == block().voxels
    room.store.close()
    room.store, room.people["reader1"] = store, actor
    room.case("S02", ("BASELINE",))  # new rows get new numbers
    room.assign("S02", ("reader1",))
    assert room.lock("reader1", BASELINE, item=next(
        i for i in _items(room) if not i.started)).current  # fmt: skip
    assert verify(store).faults == ()


def _items(room):
    return worklist.of_reader(room.store, room.people["reader1"])


def test_a_long_trail_comes_back_whole(sqlite_room, tmp_path):
    with sqlite_room.store.writing(SYSTEM) as writing:
        for n in range(backup.BATCH + 7):
            writing.record("test.done", str(n))
    file, entries = backed_up(sqlite_room, tmp_path)
    url = f"sqlite:///{tmp_path / 'new.sqlite'}"
    assert backup.restore(file, url, reason="a drill") == entries > backup.BATCH
    store = open_store(url)
    assert verify(store).faults == ()
    store.close()


def test_a_restore_keeps_the_old_anchor_as_evidence_and_makes_a_new_one(tmp_path):
    anchor = make_anchor(tmp_path / "keys")
    room = open_room(f"sqlite:///{tmp_path / 'reads.sqlite'}", anchor=anchor)
    file, entries = backed_up(room, tmp_path)
    room.case()  # lost with the disk
    lost = load_anchored(anchor.folder / ANCHOR_FILE, anchor.public)
    room.store.close()
    url = f"sqlite:///{tmp_path / 'new.sqlite'}"
    backup.restore(file, url, reason="the disk failed", anchor=anchor)
    assert (anchor.folder / f"anchor-{lost.seq}-before-restore.json").exists()
    store = open_store(url, anchor=anchor)
    known = load_anchored(anchor.folder / ANCHOR_FILE, anchor.public)
    assert known.seq == entries + 1
    assert verify(store, known).faults == ()
    with store.reading() as connection:
        before = connection.execute(
            text("SELECT before FROM audit WHERE action = 'store.restored'")
        ).scalar()
    assert json.loads(before)["anchored"] == lost.seq
    store.close()


def test_a_backup_is_restored_into_an_empty_database_only(sqlite_room, tmp_path):
    file, _ = backed_up(sqlite_room, tmp_path)
    before = rows(sqlite_room.store)
    url = sqlite_room.store.engine.url.render_as_string()
    with pytest.raises(StoreError, match="empty database only"):
        backup.restore(file, url, reason="by mistake")
    assert rows(sqlite_room.store) == before


def changed_member(file, name, change):
    """Return a copy of a backup with one member changed."""
    target = file.with_name("changed.zip")
    with zipfile.ZipFile(file) as old, zipfile.ZipFile(target, "w") as new:
        for member in old.namelist():
            content = old.read(member)
            new.writestr(member, change(content) if member == name else content)
    return target


def test_a_damaged_backup_is_refused_before_anything_is_written(sqlite_room, tmp_path):
    file, _ = backed_up(sqlite_room, tmp_path)
    damaged = [
        changed_member(file, "account.jsonl", lambda c: c.replace(b"reader1", b"reader9")),
        tmp_path / "none.zip",
        tmp_path / "no.zip",
    ]
    damaged[2].write_bytes(b"no zip at all")
    target = tmp_path / "target.sqlite"
    for bad in damaged:
        with pytest.raises(StoreError, match=r"is damaged: its part account|is no backup"):
            backup.restore(bad, f"sqlite:///{target}", reason="a drill")
        assert not target.exists()
    for name, change in (
        ("manifest.json", lambda _: b"no json"),
        ("manifest.json", lambda _: b"{}"),
    ):
        with pytest.raises(StoreError, match="is no backup"):
            backup.restore(
                changed_member(file, name, change), f"sqlite:///{target}", reason="a drill"
            )


@pytest.mark.parametrize(("old", "new"), [(b'"0001"', b'"9999"'), (b'"format": 1', b'"format": 2')])
def test_a_backup_of_a_newer_program_is_refused(sqlite_room, tmp_path, old, new):
    file, _ = backed_up(sqlite_room, tmp_path)
    newer = changed_member(file, "manifest.json", lambda c: c.replace(old, new))
    with pytest.raises(StoreError, match="Update the program"):
        backup.restore(newer, f"sqlite:///{tmp_path / 'x.sqlite'}", reason="a drill")


def test_two_backups_of_one_state_differ_only_in_what_tells_of_them(sqlite_room):
    first, second = io.BytesIO(), io.BytesIO()
    backup.back_up(sqlite_room.store, first)
    backup.back_up(sqlite_room.store, second)
    with zipfile.ZipFile(first) as one, zipfile.ZipFile(second) as other:
        different = {n for n in one.namelist() if one.read(n) != other.read(n)}
    assert different == {"audit.jsonl", "manifest.json"}


@pytest.mark.parametrize("released", RELEASED, ids=lambda p: p.stem)
def test_a_store_of_every_released_version_becomes_the_newest_and_stays_intact(released, store_url):
    backup.restore(released, store_url, reason="an update")
    store = open_store(store_url, policy=CHEAP)
    found = verify(store)
    assert (found.faults, found.signatures) == ((), 5)
    with store.reading() as connection:
        assert schema.current(connection) == schema.newest()
        table = metadata.tables["signed"]
        assert connection.execute(select(func.count()).select_from(table)).scalar() == 4
    actor = sessions.sign_in(store, "reader1", password_of("reader1")).actor
    read = reading.load(store, actor, 1)
    assert read.form_version == "1"
    assert read.current.content.answers["fat"] == "none"
    store.close()


def test_there_is_a_store_of_every_released_version():
    assert [file.stem for file in RELEASED] == ["0001"]
    assert schema.knows("0001")


def test_the_store_of_the_newest_version_is_made_as_the_others_were(tmp_path):
    make_released(tmp_path, tmp_path)
    url = f"sqlite:///{tmp_path / 'again.sqlite'}"
    backup.restore(tmp_path / f"{schema.newest()}.zip", url, reason="a drill")
    store = open_store(url)
    assert verify(store).faults == ()
    store.close()
