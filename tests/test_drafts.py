"""What a tab knows of its draft: saves that overlap, and a store that is away for a while."""

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import pytest
from reading_room import BASELINE

from readers import reading
from readers.answers import plain
from readers.errors import StoreError
from surveillance.ui.desk import Desk
from surveillance.ui.drafts import Change, Tab, saved, shown
from surveillance.ui.form import Status

ANSWER = {"t2w_fs_quality": "evaluable"}


def opened(room):
    """Open a draft of reader 1; return the desk, the tab that shows it, and its number."""
    room.case()
    room.assign()
    read = reading.open_read(room.store, room.reader1, room.item("reader1").id, "BASELINE")
    desk = Desk(SimpleNamespace(store=room.store), room.reader1, "session", "en")
    return desk, Tab(read.revision), read.id


def stored(room, read_id):
    return reading.load(room.store, room.reader1, read_id)


def answers(room, read_id):
    return plain(stored(room, read_id).content.answers)


def test_saves_of_one_tab_that_overlap_are_not_taken_for_two_tabs(room):
    desk, tab, read_id = opened(room)
    given = [dict(list(BASELINE.items())[: n + 1]) for n in range(8)]
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda n: saved(desk, tab, read_id, Change(given[n]), n + 1), range(8)))
    assert tab.kept is None
    assert tab.status == Status("saved", tab.status.text, 8)
    assert tab.revision == stored(room, read_id).revision
    assert answers(room, read_id) == given[-1]


def test_a_message_that_comes_after_a_newer_one_takes_no_answer_back(sqlite_room):
    desk, tab, read_id = opened(sqlite_room)
    assert saved(desk, tab, read_id, Change(BASELINE), 5)
    assert not saved(desk, tab, read_id, Change(ANSWER), 4)
    assert tab.status.state == "saved"
    assert answers(sqlite_room, read_id) == BASELINE


def test_a_message_that_the_store_could_not_take_is_left_for_the_form_to_send_again(
    sqlite_room, monkeypatch
):
    desk, tab, read_id = opened(sqlite_room)
    assert saved(desk, tab, read_id, Change(ANSWER), 4)
    file = sqlite_room.store.engine.url.database
    sqlite_room.store.engine.dispose()
    monkeypatch.setattr("readers.store.BUSY_MS", 50)
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    assert not saved(desk, tab, read_id, Change(BASELINE), 5)
    assert (tab.status.state, tab.status.echo) == ("failed", 4)
    assert "cannot be used now" in tab.status.text
    other.execute("ROLLBACK")
    assert saved(desk, tab, read_id, Change(BASELINE), 6)
    assert (tab.status.state, tab.status.echo) == ("saved", 6)
    assert answers(sqlite_room, read_id) == BASELINE


def test_a_message_that_is_wrong_is_answered_and_not_sent_again(sqlite_room):
    desk, tab, read_id = opened(sqlite_room)
    assert not saved(desk, tab, read_id, Change({"drop": "table"}), 3)
    assert (tab.status.state, tab.status.echo) == ("failed", 3)


def test_marks_are_saved_beside_the_answers_and_answer_no_message(sqlite_room):
    desk, tab, read_id = opened(sqlite_room)
    assert saved(desk, tab, read_id, Change(ANSWER), 7)
    assert saved(desk, tab, read_id, Change(marks=()))
    assert tab.status.echo == 7
    assert answers(sqlite_room, read_id) == ANSWER


def test_while_the_store_is_away_the_form_shows_what_it_had(sqlite_room, monkeypatch):
    desk, tab, read_id = opened(sqlite_room)
    monkeypatch.setattr("surveillance.ui.drafts.st.session_state", {f"tab-{read_id}": tab})
    assert saved(desk, tab, read_id, Change(ANSWER), 4)
    before, status = shown(desk, read_id)
    assert status.state == "saved"
    file = Path(sqlite_room.store.engine.url.database)
    sqlite_room.store.engine.dispose()
    file.rename(file.with_suffix(".away"))
    file.mkdir()
    after, status = shown(desk, read_id)
    assert after == before
    assert (status.state, status.echo) == ("failed", 4)
    tab.last = None
    with pytest.raises(StoreError):
        shown(desk, read_id)
