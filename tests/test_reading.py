import pytest
from reading_room import BASELINE, FOCUS, LARGER, MARK, NODULAR, STABLE, password_of
from test_worklist import changed

from readers import accounts, reading, sessions, signing
from readers.errors import (
    DraftConflictError,
    ForbiddenError,
    FormError,
    NotFoundError,
    OrderError,
    ReasonError,
    SessionError,
    SignatureError,
    UnfinishedError,
)
from readers.read import ReadStatus, SignedKind
from readers.signature import Identity, Password
from readers.signing import Given, Pen

HOSTILE = (
    "<script>alert('x')</script><img src=x onerror=alert(1)>",
    "'; DROP TABLE audit; --",
    '" OR 1=1 --',
    "{0} {name} %s %(x)s ${y} {{z}}",
    "=HYPERLINK(\"http://x\")",
    "../../etc/passwd",
    "左侧腹直肌 ± µ 🫀 \u202eright to left",
    "line\r\nbreak\ttab \\ backslash",
)  # fmt: skip


def opened(room, readers=("reader1", "reader2")):
    room.case()
    room.assign(readers=readers)
    return room.draft("reader1", BASELINE)


def test_a_draft_keeps_what_is_in_the_form_complete_or_not(room):
    read = opened(room)
    answers = {"graft_seen": "yes", "comment": "half way", "foci": [{"diameter_mm": 5.0}]}
    saved = reading.save_draft(
        room.store, room.reader1, read.id, revision=read.revision, answers=answers, marks=[MARK],
        spent_s=12.5,
    )  # fmt: skip
    again = reading.load(room.store, room.reader1, read.id)
    assert again == saved
    unsaid = {"ratio_to_muscle": None, "visit": "", "plane": "axial"}
    assert again.content.plain == {"answers": answers, "marks": [MARK | unsaid]}
    assert (again.status, again.revision, again.spent_s) == (ReadStatus.DRAFT, 3, 72.5)
    assert again.current is None


@pytest.mark.parametrize("spent_s", [-5.0, float("nan"), 1e9])
def test_a_time_nobody_can_have_spent_is_not_added(sqlite_room, spent_s):
    read = opened(sqlite_room)
    saved = reading.save_draft(
        sqlite_room.store, sqlite_room.reader1, read.id, revision=read.revision, answers={},
        spent_s=spent_s,
    )  # fmt: skip
    assert saved.spent_s == 60.0


@pytest.mark.parametrize("text", HOSTILE)
def test_html_sql_and_other_scripts_are_kept_exactly_in_every_text_field(room, text):
    read = opened(room)
    read = reading.save_draft(
        room.store, room.reader1, read.id, revision=read.revision,
        answers=BASELINE | {"comment": text},
    )  # fmt: skip
    read = signing.lock(room.store, room.reader1, read.id, read.revision, room.pen("reader1"))
    corrected = room.correct("reader1", read, BASELINE, reason=text)
    assert read.current.content.answers["comment"] == text
    assert corrected.current.reason == text
    assert [s.content.answers.get("comment") for s in corrected.signed] == [text, None]


def test_ten_megabytes_of_comment_are_refused_and_the_draft_stays(room):
    read = opened(room)
    with pytest.raises(FormError, match="more than the 4000 it can hold"):
        reading.save_draft(
            room.store, room.reader1, read.id, revision=read.revision,
            answers={"comment": "x" * 10_000_000},
        )  # fmt: skip
    assert reading.load(room.store, room.reader1, read.id) == read


def test_of_two_tabs_the_second_is_told_and_nothing_is_lost(room):
    first_tab = second_tab = opened(room)
    reading.save_draft(
        room.store, room.reader1, first_tab.id, revision=first_tab.revision,
        answers=BASELINE | {"comment": "first tab"},
    )  # fmt: skip
    with pytest.raises(DraftConflictError, match="knew revision 2, stored is 3") as told:
        reading.save_draft(
            room.store, room.reader1, second_tab.id, revision=second_tab.revision,
            answers=BASELINE | {"comment": "second tab"}, marks=[MARK],
        )  # fmt: skip
    assert told.value.current.content.answers["comment"] == "first tab"
    kept = reading.copy(room.store, room.reader1, second_tab.id, told.value.kept)
    assert kept.answers["comment"] == "second tab"
    assert kept.marks[0].id == "m1"
    now = told.value.current
    saved = reading.save_draft(
        room.store, room.reader1, now.id, revision=now.revision, answers=kept.answers
    )
    assert saved.content.answers["comment"] == "second tab"


def test_what_was_typed_in_a_tab_whose_read_was_signed_meanwhile_is_kept_too(sqlite_room):
    read = opened(sqlite_room)
    sqlite_room.lock("reader1", BASELINE)
    with pytest.raises(OrderError, match="is signed"):
        reading.save_draft(
            sqlite_room.store, sqlite_room.reader1, read.id, revision=read.revision,
            answers={"comment": "late"},
        )  # fmt: skip
    assert reading.copy(sqlite_room.store, sqlite_room.reader1, read.id, 1).answers == {
        "comment": "late"
    }
    with pytest.raises(NotFoundError, match="no kept copy 7"):
        reading.copy(sqlite_room.store, sqlite_room.reader1, read.id, 7)
    with pytest.raises(ForbiddenError):
        reading.copy(sqlite_room.store, sqlite_room.reader2, read.id, 1)


def test_a_form_left_over_an_expired_session_is_saved_after_signing_in_again(room):
    read = opened(room)
    room.clock.now = room.clock.now.replace(hour=23)
    with pytest.raises(SessionError, match="what is in the form stays"):
        sessions.resume(room.store, room.tokens["reader1"])
    actor = sessions.sign_in(room.store, "reader1", password_of("reader1")).actor
    saved = reading.save_draft(
        room.store, actor, read.id, revision=read.revision, answers=BASELINE | {"comment": "typed"}
    )
    assert saved.content.answers["comment"] == "typed"


def test_signing_locks_what_is_stored_with_name_time_meaning_and_hash(room):
    read = opened(room)
    locked = signing.lock(room.store, room.reader1, read.id, read.revision, room.pen("reader1"))
    assert locked.status is ReadStatus.LOCKED
    signed = locked.current
    assert (signed.signer, signed.meaning, signed.kind) == ("Reader1", "read", SignedKind.FIRST)
    assert signed.signed_at.startswith("2026-03-02T09:")
    assert signed.signed_at.endswith("Z")
    assert len(signed.sha256) == 64
    assert dict(signed.endpoints) == {
        "morphological_stability": "indeterminate",
        "signal_characteristics": "indeterminate",
        "fat_absence": "favorable",
    }
    assert not signed.machine_seen
    with pytest.raises(OrderError, match="is signed"):
        signing.lock(room.store, room.reader1, read.id, read.revision, room.pen("reader1"))


def test_a_draft_that_another_tab_changed_is_not_signed_unseen(sqlite_room):
    read = opened(sqlite_room)
    reading.save_draft(
        sqlite_room.store, sqlite_room.reader1, read.id, revision=read.revision, answers=BASELINE
    )
    with pytest.raises(DraftConflictError):
        signing.lock(
            sqlite_room.store, sqlite_room.reader1, read.id, read.revision,
            sqlite_room.pen("reader1"),
        )  # fmt: skip


def test_an_unfinished_read_is_not_signed_and_every_problem_is_named(sqlite_room):
    sqlite_room.case()
    sqlite_room.assign()
    with pytest.raises(UnfinishedError, match="fat: Not answered yet") as told:
        sqlite_room.lock("reader1", {k: v for k, v in BASELINE.items() if k != "fat"})
    assert [p.id for p in told.value.problems] == ["missing:fat"]


def test_a_warning_can_be_acknowledged_and_an_error_cannot(sqlite_room):
    sqlite_room.case()
    sqlite_room.assign()
    doubtful = BASELINE | {"fat": "possible"}
    with pytest.raises(UnfinishedError) as told:
        sqlite_room.lock("reader1", doubtful)
    (warning,) = told.value.problems
    assert warning.severity == "warning"
    with pytest.raises(UnfinishedError):
        sqlite_room.lock("reader1", doubtful | {"confidence": None}, acknowledged=[
            warning.id, "missing:confidence"])  # fmt: skip
    read = sqlite_room.lock("reader1", doubtful, acknowledged=[warning.id])
    assert read.current.content.answers["fat"] == "possible"


def test_answers_to_what_is_not_asked_any_more_are_not_signed(sqlite_room):
    sqlite_room.case()
    sqlite_room.assign()
    answers = BASELINE | {"graft_seen": "no", "diameter_mm": 30.0}
    hidden = ["graft_place", "diameter_mm", "level", "pattern"]
    read = sqlite_room.lock("reader1", answers, acknowledged=[f"not_asked:{q}" for q in hidden])
    assert not set(hidden) & set(read.current.content.answers)


@pytest.mark.parametrize("typed", ["wrong password", ""])
def test_a_signature_needs_the_own_password_again(sqlite_room, typed):
    read = opened(sqlite_room)
    pen = Pen(Password(typed), sqlite_room.pen("reader1").protocol)
    with pytest.raises(SignatureError, match="not given"):
        signing.lock(sqlite_room.store, sqlite_room.reader1, read.id, read.revision, pen)
    assert reading.load(sqlite_room.store, sqlite_room.reader1, read.id) == read
    assert "wrong" not in repr(Password("wrong password"))


def test_guessing_at_signatures_locks_the_account(sqlite_room):
    read = opened(sqlite_room)
    pen = Pen(Password("wrong password"), sqlite_room.pen("reader1").protocol)
    for _ in range(5):
        with pytest.raises(SignatureError):
            signing.lock(sqlite_room.store, sqlite_room.reader1, read.id, read.revision, pen)
    with pytest.raises(SignatureError, match="locked for 15 minutes"):
        signing.lock(
            sqlite_room.store, sqlite_room.reader1, read.id, read.revision,
            sqlite_room.pen("reader1"),
        )  # fmt: skip


def test_nobody_signs_with_a_temporary_password(sqlite_room):
    read = opened(sqlite_room)
    password = accounts.reset_password(sqlite_room.store, sqlite_room.admin, "reader1")
    pen = Pen(Password(password), sqlite_room.pen("reader1").protocol)
    with pytest.raises(SignatureError, match="Choose your own first"):
        signing.lock(sqlite_room.store, sqlite_room.reader1, read.id, read.revision, pen)


def test_a_fresh_sign_in_at_the_identity_provider_is_a_proof(sqlite_room):
    read = opened(sqlite_room)
    store, protocol = sqlite_room.store, sqlite_room.pen("reader1").protocol
    now = sqlite_room.clock.now.timestamp()
    claims = {"iss": "https://id", "sub": "1", "auth_time": now}

    def lock(**changes):
        pen = Pen(Identity(claims | changes), protocol)
        return signing.lock(store, sqlite_room.reader1, read.id, read.revision, pen)

    with pytest.raises(SignatureError, match="as yourself"):
        lock()
    accounts.map_identity(store, sqlite_room.admin, "reader2", "https://id|2")
    accounts.map_identity(store, sqlite_room.admin, "reader1", "https://id|1")
    with pytest.raises(SignatureError, match="as yourself"):
        lock(sub="2")
    for old in (now - 600, None, now + 600):
        with pytest.raises(SignatureError, match="older than 5 minutes"):
            lock(auth_time=old)
    assert lock().status is ReadStatus.LOCKED


def test_the_machine_is_seen_after_the_lock_and_never_before(room):
    read = opened(room)
    with pytest.raises(OrderError, match="after your own answers are signed"):
        reading.machine_values(room.store, room.reader1, read.id)
    locked = signing.lock(room.store, room.reader1, read.id, read.revision, room.pen("reader1"))
    shown = reading.machine_values(room.store, room.reader1, locked.id)
    assert shown["endpoints"]["fat_absence"] == "favorable"
    assert reading.machine_values(room.store, room.reader1, locked.id) == shown


def test_a_paradigm_may_hide_the_machine_until_the_whole_case_is_read(sqlite_room):
    sqlite_room.case()
    paradigm = changed(blinding={"machine_values_after": "case"})
    sqlite_room.assign(readers=("reader1",), paradigm=paradigm)
    first = sqlite_room.lock("reader1", BASELINE)
    with pytest.raises(OrderError, match="or of all"):
        reading.machine_values(sqlite_room.store, sqlite_room.reader1, first.id)
    sqlite_room.lock("reader1", STABLE)
    sqlite_room.lock("reader1", STABLE)
    assert reading.machine_values(sqlite_room.store, sqlite_room.reader1, first.id)


def test_a_change_of_mind_is_a_second_marked_answer_and_the_first_one_still_counts(room):
    sqlite = room
    opened(sqlite)
    sqlite.lock("reader1", BASELINE)
    read = sqlite.lock("reader1", STABLE)
    given, pen = Given(LARGER), sqlite.pen("reader1", "the machine is right")
    with pytest.raises(OrderError, match="they were not shown"):
        signing.change_mind(sqlite.store, sqlite.reader1, read.id, given, pen)
    reading.machine_values(sqlite.store, sqlite.reader1, read.id)
    changed_ = signing.change_mind(sqlite.store, sqlite.reader1, read.id, given, pen)
    assert changed_.current.endpoints["morphological_stability"] == "favorable"
    assert changed_.content == read.content
    second = changed_.after_machine
    assert second.endpoints["morphological_stability"] == "adverse"
    assert (second.machine_seen, second.reason) == (True, "the machine is right")
    assert second.meaning == "change of mind"
    with pytest.raises(OrderError, match="second answer already"):
        signing.change_mind(sqlite.store, sqlite.reader1, read.id, given, pen)


def test_a_correction_is_signed_keeps_the_old_answers_and_says_why(room):
    opened(room)
    room.lock("reader1", BASELINE)
    read = room.lock("reader1", STABLE)
    with pytest.raises(ReasonError, match="Say why"):
        room.correct("reader1", read, LARGER, reason=" \n")
    with pytest.raises(ReasonError):
        room.correct("reader1", read, LARGER, reason="x" * 2001)
    corrected = room.correct("reader1", read, LARGER, reason="took M3 for D28")
    assert corrected.status is ReadStatus.CORRECTED
    assert [s.version for s in corrected.signed] == [1, 2]
    old, new = corrected.signed
    assert old == read.current
    assert new.reason == "took M3 for D28"
    assert new.content.answers["size_versus_nadir"] == "larger"
    assert corrected.current == new
    assert not new.machine_seen


def test_a_correction_after_the_machine_was_seen_says_so(sqlite_room):
    opened(sqlite_room)
    read = sqlite_room.lock("reader1", BASELINE)
    reading.machine_values(sqlite_room.store, sqlite_room.reader1, read.id)
    assert sqlite_room.correct("reader1", read, BASELINE).current.machine_seen


def test_a_correction_passes_the_edit_checks_as_the_first_answer_did(sqlite_room):
    opened(sqlite_room)
    read = sqlite_room.lock("reader1", BASELINE)
    with pytest.raises(UnfinishedError):
        sqlite_room.correct("reader1", read, BASELINE | {"pattern": "nodular"})
    focus = {k: v for k, v in FOCUS.items() if k != "since"}
    nodular = BASELINE | {"pattern": "nodular", "foci": [focus]}
    assert sqlite_room.correct("reader1", read, nodular, marks=[MARK]).current.version == 2


def test_a_draft_is_saved_and_not_corrected(sqlite_room):
    read = opened(sqlite_room)
    with pytest.raises(OrderError, match="not signed yet"):
        sqlite_room.correct("reader1", read, BASELINE)


def test_only_the_reader_signs_a_read(sqlite_room):
    read = opened(sqlite_room)
    with pytest.raises(ForbiddenError, match="not yours"):
        signing.lock(sqlite_room.store, sqlite_room.reader2, read.id, 2, sqlite_room.pen("reader2"))
    with pytest.raises(ForbiddenError, match="for the role reader"):
        signing.lock(sqlite_room.store, sqlite_room.admin, read.id, 2, sqlite_room.pen("reader1"))


def test_a_coordinator_sees_signed_reads_and_no_drafts(sqlite_room):
    read = opened(sqlite_room)
    with pytest.raises(OrderError, match="not signed yet"):
        reading.review(sqlite_room.store, sqlite_room.coordinator, read.id)
    locked = sqlite_room.lock("reader1", BASELINE)
    assert reading.review(sqlite_room.store, sqlite_room.coordinator, read.id) == locked
    with pytest.raises(NotFoundError, match="no read 99"):
        reading.review(sqlite_room.store, sqlite_room.coordinator, 99)
    with pytest.raises(ForbiddenError):
        reading.review(sqlite_room.store, sqlite_room.reader2, read.id)


def test_a_read_of_a_nodule_is_kept_with_its_focus_and_mark(room):
    opened(room)
    room.lock("reader1", BASELINE)
    read = room.lock("reader1", NODULAR, marks=[MARK])
    read = room.lock("reader1", NODULAR, marks=[MARK])
    assert read.current.endpoints["signal_characteristics"] == "adverse"
    assert dict(read.content.answers["foci"][0]) == FOCUS
    assert read.content.marks[0].points_lps_mm == ((1.0, 2.0, 3.0), (7.0, 2.0, 3.0))
