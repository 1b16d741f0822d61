import shutil
from datetime import timedelta

import pytest
from reading_room import BASELINE, CHEAP, Hand, enter, open_room
from sqlalchemy import text
from test_adjudication import decide, disputed
from test_store import filled

from readers import audit, audit_view, cases, reading
from readers.anchor import (
    ANCHOR_FILE,
    KEY_FILE,
    PUBLIC_FILE,
    Anchored,
    load_anchored,
    load_public,
    make_anchor,
)
from readers.canonical import canonical, is_sha256, loaded, sha256
from readers.errors import AuditError
from readers.verification import verify


@pytest.fixture(scope="module")
def full(tmp_path_factory):
    """Return a folder with a full store and its keys: tests attack a copy."""
    folder = tmp_path_factory.mktemp("full")
    anchor = make_anchor(folder / "keys")
    room = open_room(f"sqlite:///{folder / 'reads.sqlite'}", Hand(), anchor)
    filled(room)
    room.store.close()
    return folder, room


@pytest.fixture()
def tampered(full, tmp_path):
    """Yield a full room and a way to change its database past its own refusal."""
    folder, first = full
    shutil.copytree(folder, tmp_path / "copy")
    anchor = make_anchor(tmp_path / "copy" / "keys")
    room = enter(f"sqlite:///{tmp_path / 'copy' / 'reads.sqlite'}", first)

    def attack(*statements):
        with room.store.engine.begin() as connection:
            triggers = connection.execute(
                text("SELECT name FROM sqlite_master WHERE type = 'trigger'")
            ).scalars()
            for name in list(triggers):
                connection.execute(text(f"DROP TRIGGER {name}"))
            for statement in statements:
                connection.execute(text(statement))

    yield room, attack, anchor
    room.store.close()


def faults(room, anchor=None):
    known = anchor and load_anchored(anchor.folder / ANCHOR_FILE, anchor.public)
    return verify(room.store, known).faults


def test_an_untouched_trail_is_intact_and_its_anchor_fits(room):
    filled(room)
    with room.store.reading() as connection:
        entries = list(audit.entries(connection, batch=7))
        head = audit.head(connection)
    found = verify(room.store, Anchored(*head))
    assert found.faults == ()
    assert (found.entries, found.unanchored) == (len(entries), 0)
    assert found.signatures == 5
    assert entries[0].previous == audit.START
    assert [e.seq for e in entries] == list(range(1, len(entries) + 1))


def test_every_change_says_who_when_what_before_after(room):
    room.case("S01", ("BASELINE",))
    room.assign()
    read = room.draft("reader1", {"fat": "none", "comment": "a"})
    reading.save_draft(
        room.store, room.reader1, read.id, revision=read.revision, answers={"fat": "possible"}
    )
    with room.store.reading() as connection:
        last = list(audit.entries(connection))[-1]
    assert (last.actor, last.role, last.action) == ("reader1", "reader", "draft.saved")
    assert last.target == f"read:{read.id}"
    assert loaded(last.before) == {"fat": "none", "comment": "a"}
    assert loaded(last.after) == {"fat": "possible"}
    assert last.at.startswith("2026-03-02T")


def test_saving_without_a_change_is_no_change(sqlite_room):
    sqlite_room.case("S01", ("BASELINE",))
    sqlite_room.assign()
    read = sqlite_room.draft("reader1", {"fat": "none"})
    with sqlite_room.store.reading() as connection:
        before = audit.head(connection)
    reading.save_draft(
        sqlite_room.store, sqlite_room.reader1, read.id, revision=read.revision,
        answers={"fat": "none"},
    )  # fmt: skip
    with sqlite_room.store.reading() as connection:
        assert audit.head(connection) == before


def test_an_edited_entry_is_found(tampered):
    room, attack, _ = tampered
    attack("UPDATE audit SET reason = 'another' WHERE seq = 12")
    assert faults(room) == ("Entry 12 was changed.",)


def test_an_edited_entry_with_a_hash_of_its_own_breaks_the_chain_behind_it(tampered):
    room, attack, _ = tampered
    with room.store.reading() as connection:
        entry = next(e for e in audit.entries(connection) if e.seq == 12)
    fields = {name: getattr(entry, name) for name in entry.__slots__ if name != "hash"}
    new = sha256(fields | {"reason": "another"})
    attack(f"UPDATE audit SET reason = 'another', hash = '{new}' WHERE seq = 12")
    assert faults(room)[0].startswith("Entry 13 does not follow")


def test_a_deleted_entry_is_found(tampered):
    room, attack, _ = tampered
    attack("DELETE FROM audit WHERE seq IN (12, 13)")
    assert faults(room)[0] == "Entries 12 to 13 are missing."


def test_exchanged_entries_are_found(tampered):
    room, attack, _ = tampered
    attack(
        "UPDATE audit SET seq = -12 WHERE seq = 12",
        "UPDATE audit SET seq = 12 WHERE seq = 13",
        "UPDATE audit SET seq = 13 WHERE seq = -12",
    )
    found = faults(room)
    assert "Entry 12 does not follow the one before it" in found[0]
    assert any("Entry 12 was changed" in f for f in found)


def test_a_renumbered_trail_without_one_entry_is_found(tampered):
    room, attack, _ = tampered
    attack(
        "DELETE FROM audit WHERE seq = 12",
        "UPDATE audit SET seq = -seq + 1 WHERE seq > 12",
        "UPDATE audit SET seq = -seq WHERE seq < 0",
    )
    assert "Entry 12 does not follow" in faults(room)[0]


def test_a_cut_at_the_end_is_found_by_the_anchor_alone(tampered):
    room, attack, anchor = tampered
    with room.store.reading() as connection:
        last = audit.head(connection)[0]
    attack(f"DELETE FROM audit WHERE seq = {last}")
    assert faults(room) == ()
    assert faults(room, anchor) == (
        f"The trail ends at entry {last - 1}, the anchor vouches for {last}: it was cut.",
    )


def test_a_trail_made_anew_is_found_by_the_anchor_alone(tampered):
    room, attack, anchor = tampered
    with room.store.reading() as connection:
        entries = list(audit.entries(connection))
    previous, statements = audit.START, []
    for entry in entries:
        row = {name: getattr(entry, name) for name in entry.__slots__ if name != "hash"}
        row |= {"previous": previous}
        if entry.action == "query.asked":
            row["after"] = '{"read":4,"text":"Something else"}'
        hashed = sha256(row)
        after = "NULL" if row["after"] is None else "'" + row["after"].replace("'", "''") + "'"
        statements.append(
            f"UPDATE audit SET previous = '{previous}', after = {after}, hash = '{hashed}' "
            f"WHERE seq = {entry.seq}"
        )
        previous = hashed
    attack("UPDATE audit SET hash = seq", *(s.replace(":", "\\:") for s in statements))
    assert faults(room) == ()
    assert "was made anew" in faults(room, anchor)[0]


@pytest.mark.parametrize(
    ("attack_with", "said"),
    [
        ("UPDATE signed SET content = replace(content, 'stable', 'larger') WHERE id = 2",
         "What signature 2 was given on was changed."),
        ("UPDATE signature SET statement = replace(statement, 'Reader1', 'Somebody') WHERE id = 1",
         "Signature 1 was changed, or the trail does not know it."),
        ("UPDATE signature SET statement = 'no json' WHERE id = 1", "Signature 1 was changed"),
        ("DELETE FROM signature WHERE id = 1", "that the trail tells of is missing"),
        ("UPDATE decision SET content = replace(content, 'stable', 'larger')",
         "What signature 5 was given on was changed."),
        ("UPDATE mask_content SET packed = x'00'", "is not what was kept"),
        ("DELETE FROM mask_content", "that the trail tells of is missing"),
        ("UPDATE case_version SET content = replace(content, 'D28', 'D29')",
         "Case S01 version 1 is not what was registered."),
        ("UPDATE machine_result SET content = replace(content, 'favorable', 'adverse')",
         "Case S01 version 1 is not what was registered."),
        ("UPDATE signed SET machine_seen = 1 - machine_seen WHERE id = 2",
         "What signature 2 was given on was changed."),
        ("UPDATE signed SET read_id = 3, version = 9 WHERE id = 2", "What signature 2"),
        ("UPDATE read SET visit = 'M3' WHERE id = 2", "What signature 2 was given on"),
        ("UPDATE read SET case_version_id = 99 WHERE id = 2", "What signature 2 was given on"),
        ("DELETE FROM signed WHERE id = 2", "What signature 2 was given on"),
        ("UPDATE decision SET reason = 'another'", "What signature 5 was given on"),
        ("UPDATE signature SET signed_id = 1 WHERE id = 2", "What signature 2 was given on"),
        ("UPDATE audit SET after = 'no json' WHERE seq = 12", "Entry 12 was changed."),
    ],
)  # fmt: skip
def test_what_the_trail_vouches_for_cannot_be_changed_unseen(tampered, attack_with, said):
    room, attack, _ = tampered
    attack()
    with room.store.engine.connect() as connection:
        connection.connection.execute("PRAGMA foreign_keys = OFF")
        connection.connection.execute(attack_with)
        connection.connection.commit()
    assert any(said in fault for fault in faults(room))


def test_an_anchor_counts_up_only_and_is_the_server_s_alone(tmp_path):
    anchor = make_anchor(tmp_path / "keys")
    anchor.keep(Anchored(5, "five", "t"))
    anchor.keep(Anchored(3, "three", "t"))
    file = anchor.folder / ANCHOR_FILE
    assert load_anchored(file, anchor.public).seq == 5
    assert load_anchored(file, load_public(anchor.folder / PUBLIC_FILE)).hash == "five"
    assert (anchor.folder / KEY_FILE).stat().st_mode & 0o077 == 0
    again = make_anchor(tmp_path / "keys")
    assert again.public.public_bytes_raw() == anchor.public.public_bytes_raw()
    other = make_anchor(tmp_path / "other")
    other.replace(Anchored(1, "one", "t"))
    assert [f.name for f in other.folder.glob("anchor*")] == [ANCHOR_FILE]
    anchor.replace(Anchored(2, "two", "t"))
    assert load_anchored(file, anchor.public).seq == 2
    assert (anchor.folder / "anchor-5-before-restore.json").exists()
    assert load_anchored(tmp_path / "none.json", anchor.public) is None


def test_a_forged_or_damaged_anchor_or_key_is_refused(tmp_path):
    anchor, other = make_anchor(tmp_path / "keys"), make_anchor(tmp_path / "other")
    anchor.keep(Anchored(5, "five", "t"))
    file = anchor.folder / ANCHOR_FILE
    with pytest.raises(AuditError, match="was not written with this key"):
        load_anchored(file, other.public)
    genuine = file.read_text("utf-8")
    for forged in (genuine.replace("five", "nine"), "{}", "no json", "[]"):
        file.write_text(forged, encoding="utf-8")
        with pytest.raises(AuditError, match="was not written with this key"):
            load_anchored(file, anchor.public)
    (anchor.folder / KEY_FILE).write_text("xyz", encoding="utf-8")
    with pytest.raises(AuditError, match="not a usable key"):
        make_anchor(tmp_path / "keys")
    with pytest.raises(AuditError, match="not a usable key"):
        load_public(tmp_path / "none")


def actions(room, name, **choice):
    return [e.action for e in audit_view.entries(room.store, room.people[name], **choice)]


def test_the_log_tells_readers_nothing_of_each_other(room):
    disputed(room)
    decide(room, "first")
    for name, other in (("reader1", "reader2"), ("reader2", "reader1")):
        shown = audit_view.entries(room.store, room.people[name])
        assert {e.actor for e in shown} == {name}
        assert other not in repr(shown)
        # That a dispute was found at one's own signature would tell what the other answered.
        assert not [e for e in shown if e.action.startswith(("discordance", "dispute"))]
        assert {e.seq for e in shown} == {None}
        assert "draft.saved" in [e.action for e in shown]


def test_the_log_tells_nobody_but_administration_of_arm_and_dose(room):
    disputed(room)
    cases.set_allocation(room.store, room.coordinator, "S01", "high-dose-arm", "1.7e8")
    for name in room.people:
        shown = repr(audit_view.entries(room.store, room.people[name]))
        assert "high-dose-arm" not in shown
    assert "case.allocated" in actions(room, "coordinator")
    assert "case.allocated" not in actions(room, "reader1")


def test_an_adjudicator_sees_the_own_decisions_and_no_reads(sqlite_room):
    disputed(sqlite_room)
    decide(sqlite_room, "first")
    seen = actions(sqlite_room, "judge")
    assert "dispute.decided" in seen
    assert not [a for a in seen if a.startswith(("read.", "draft.", "case."))]


def test_a_coordinator_sees_that_drafts_are_saved_and_not_what_they_say(sqlite_room):
    sqlite_room.case("S01", ("BASELINE",))
    sqlite_room.assign()
    sqlite_room.draft("reader1", {"comment": "not for others"})
    shown = audit_view.entries(sqlite_room.store, sqlite_room.coordinator)
    assert shown[0].action == "draft.saved"
    assert "not for others" not in repr(shown)
    assert "not for others" in repr(audit_view.entries(sqlite_room.store, sqlite_room.reader1))


def test_an_administrator_sees_accounts_and_operation_and_no_reads(sqlite_room):
    disputed(sqlite_room)
    seen = actions(sqlite_room, "admin")
    assert {"account.created", "session.started", "case.registered"} <= set(seen)
    assert not [a for a in seen if a.startswith(("read.", "draft.", "discordance"))]


def test_the_log_can_be_read_page_by_page(sqlite_room):
    disputed(sqlite_room)
    whole = audit_view.entries(sqlite_room.store, sqlite_room.coordinator)
    first = audit_view.entries(sqlite_room.store, sqlite_room.coordinator, newest=4)
    rest = audit_view.entries(sqlite_room.store, sqlite_room.coordinator, before=first[-1].seq)
    assert first + rest == whole


def test_one_content_has_one_text_and_one_hash():
    assert canonical({"b": 1, "a": [1.5, "ä"]}) == '{"a":[1.5,"ä"],"b":1}'
    assert sha256({"a": 1, "b": 2}) == sha256({"b": 2, "a": 1})
    with pytest.raises(ValueError, match="JSON"):
        canonical({"a": float("nan")})
    assert is_sha256(sha256({}))
    assert not is_sha256("A" * 64)


def test_the_clock_is_told_each_time_it_goes_back(sqlite_room):
    for _ in range(2):
        sqlite_room.clock.now -= timedelta(hours=1)
        sqlite_room.case(f"S{_}", ("BASELINE",))
    assert verify(sqlite_room.store).clock_set_back == 2
    assert CHEAP.failures_max == 5
    sqlite_room.assign("S0")
    sqlite_room.lock("reader1", BASELINE)
