import pytest
from reading_room import BASELINE, LARGER, PROTOCOL, STABLE, block
from test_worklist import changed

from imaging.volume import Mask
from readers import (
    adjudication,
    assigning,
    final,
    masks,
    overview,
    queries,
    reading,
    signing,
    worklist,
)
from readers.errors import (
    ForbiddenError,
    FormError,
    NotFoundError,
    OrderError,
    ReasonError,
    SignatureError,
    UnfinishedError,
)
from readers.final import Basis
from readers.signature import Password
from readers.signing import Given, Pen


def disputed(room, second=LARGER, paradigm=None, with_mask=False):
    """Let two readers read two visits; they differ at D28."""
    room.case(labels=("BASELINE", "D28"))
    room.assign(paradigm=paradigm)
    reads = {}
    for name, answers in (("reader1", STABLE), ("reader2", second)):
        room.lock(name, BASELINE)
        draft = room.draft(name, answers)
        if with_mask:
            size = 4 if name == "reader1" else 6
            masks.keep(room.store, room.people[name], draft.id, block(2, size), "seeded")
        reads[name] = room.lock(name, answers | {"comment": f"comment of {name}"})
    return reads


def outcome(room, visit="D28"):
    return final.outcome(room.store, room.coordinator, "S01", visit)


def only(room):
    (dispute,) = adjudication.open_items(room.store, room.judge)
    return dispute


def decide(room, choice, reason="seen on three slices", third=None, dispute=None):
    dispute = dispute or only(room)
    pen = room.pen("judge", reason)
    adjudication.decide(room.store, room.judge, dispute.id, choice, pen, third)


def test_readers_who_agree_need_no_adjudicator(room):
    disputed(room, second=STABLE | {"confidence": "1", "size_versus_baseline": "smaller"})
    assert adjudication.open_items(room.store, room.judge) == ()
    agreed = outcome(room)
    assert agreed.basis is Basis.AGREED
    assert agreed.endpoints["morphological_stability"] == "favorable"
    assert agreed.answers["size_versus_baseline"] == "stable"


def test_a_dispute_names_what_differs_and_nobody(room):
    disputed(room)
    dispute = only(room)
    assert dispute.differing == ("morphological_stability",)
    pair = adjudication.view(room.store, room.judge, dispute.id)
    shown = repr((dispute, pair))
    for typed in ("comment of reader1", "comment of reader2"):
        shown = shown.replace(typed, "")
    for hidden in ("reader1", "reader2", "Reader", "S01", "R-"):
        assert hidden not in shown
    statuses = {str(r.endpoints["morphological_stability"]) for r in (pair.first, pair.second)}
    assert statuses == {"favorable", "adverse"}


def test_who_stands_first_is_drawn_by_seed_and_stays(sqlite_room):
    sides = set()
    for n in range(12):
        case = f"S{n:02d}"
        sqlite_room.case(case, ("BASELINE",))
        sqlite_room.assign(case)
        no = BASELINE | {"isointense": "no"}
        for name, answers in (("reader1", BASELINE), ("reader2", no)):
            item = next(i for i in items_of(sqlite_room, name) if not i.started)
            sqlite_room.lock(name, answers, item=item)
    for dispute in adjudication.open_items(sqlite_room.store, sqlite_room.judge):
        pair = adjudication.view(sqlite_room.store, sqlite_room.judge, dispute.id)
        assert pair == adjudication.view(sqlite_room.store, sqlite_room.judge, dispute.id)
        sides.add(pair.first.content.answers["isointense"])
    assert sides == {"yes", "no"}


def items_of(room, name):
    return worklist.of_reader(room.store, room.people[name])


@pytest.mark.parametrize("choice", ["first", "second"])
def test_the_adjudicator_picks_one_of_the_two(room, choice):
    disputed(room)
    pair = adjudication.view(room.store, room.judge, only(room).id)
    assert outcome(room).basis is Basis.OPEN
    decide(room, choice)
    picked = pair.first if choice == "first" else pair.second
    decided = outcome(room)
    assert decided.basis is Basis.ADJUDICATED
    assert decided.endpoints == picked.endpoints
    assert decided.answers == picked.content.plain["answers"]
    assert adjudication.open_items(room.store, room.judge) == ()


def test_the_adjudicator_may_state_a_third_with_answers_that_pass_the_checks(room):
    disputed(room)
    with pytest.raises(UnfinishedError, match="needs its own answers"):
        decide(room, "third")
    with pytest.raises(UnfinishedError, match="Not answered yet"):
        decide(room, "third", third=Given({"graft_seen": "yes"}))
    third = Given(STABLE | {"shape_versus_baseline": "changed"})
    decide(room, "third", third=third)
    assert outcome(room).endpoints["morphological_stability"] == "indeterminate"


def test_a_decision_needs_a_reason_and_a_proof(sqlite_room):
    disputed(sqlite_room)
    with pytest.raises(ReasonError):
        decide(sqlite_room, "first", reason="")
    pen = Pen(Password("wrong password"), PROTOCOL, "because")
    with pytest.raises(SignatureError):
        adjudication.decide(
            sqlite_room.store, sqlite_room.judge, only(sqlite_room).id, "first", pen
        )
    assert outcome(sqlite_room).basis is Basis.OPEN


def test_a_decision_is_made_once(sqlite_room):
    disputed(sqlite_room)
    dispute = only(sqlite_room)
    decide(sqlite_room, "first")
    with pytest.raises(OrderError, match="was decided"):
        decide(sqlite_room, "second", dispute=dispute)
    with pytest.raises(NotFoundError, match="no dispute 99"):
        adjudication.view(sqlite_room.store, sqlite_room.judge, 99)


def test_a_correction_that_agrees_closes_the_dispute(sqlite_room):
    reads = disputed(sqlite_room)
    dispute = only(sqlite_room)
    sqlite_room.correct("reader2", reads["reader2"], STABLE)
    assert adjudication.open_items(sqlite_room.store, sqlite_room.judge) == ()
    assert outcome(sqlite_room).basis is Basis.AGREED
    with pytest.raises(OrderError, match="a read was corrected"):
        decide(sqlite_room, "first", dispute=dispute)


def test_a_correction_after_the_decision_opens_the_question_again(room):
    reads = disputed(room)
    decide(room, "first")
    still = LARGER | {"location_versus_baseline": "changed"}
    room.correct("reader2", reads["reader2"], still)
    assert outcome(room).basis is Basis.OPEN
    decide(room, "second")
    assert outcome(room).basis is Basis.ADJUDICATED


def test_a_correction_can_bring_a_dispute_about(sqlite_room):
    reads = disputed(sqlite_room, second=STABLE)
    sqlite_room.correct("reader1", reads["reader1"], LARGER)
    assert only(sqlite_room).differing == ("morphological_stability",)


def test_a_change_of_mind_after_the_machine_makes_no_dispute(sqlite_room):
    reads = disputed(sqlite_room, second=STABLE)
    read = reads["reader1"]
    reading.machine_values(sqlite_room.store, sqlite_room.reader1, read.id)
    pen = sqlite_room.pen("reader1", "the machine says so")
    signing.change_mind(sqlite_room.store, sqlite_room.reader1, read.id, Given(LARGER), pen)
    assert adjudication.open_items(sqlite_room.store, sqlite_room.judge) == ()
    assert outcome(sqlite_room).basis is Basis.AGREED


def test_which_answers_may_differ_is_the_paradigm_s(sqlite_room):
    paradigm = changed(discordance={"endpoints": [], "questions": ["level"]})
    disputed(sqlite_room, second=LARGER | {"level": "much_higher"}, paradigm=paradigm)
    assert only(sqlite_room).differing == ("level",)


def test_a_single_reader_s_answer_stands_alone_where_the_paradigm_has_one(sqlite_room):
    sqlite_room.case(labels=("BASELINE",))
    sqlite_room.assign(readers=("reader1",), paradigm=changed(readers={"per_case": 1}))
    assert outcome(sqlite_room, "BASELINE").basis is Basis.OPEN
    sqlite_room.lock("reader1", BASELINE)
    assert outcome(sqlite_room, "BASELINE").basis is Basis.SINGLE


def test_an_outcome_is_open_until_both_have_signed_and_hidden_from_readers(sqlite_room):
    sqlite_room.case()
    assert outcome(sqlite_room).basis is Basis.OPEN
    sqlite_room.assign()
    sqlite_room.lock("reader1", BASELINE)
    assert outcome(sqlite_room, "BASELINE").basis is Basis.OPEN
    for name in ("reader1", "judge"):
        with pytest.raises(ForbiddenError):
            final.outcome(sqlite_room.store, sqlite_room.people[name], "S01", "D28")


def test_a_new_node_is_told_by_its_short_axis(sqlite_room):
    nodes = [
        {"region": "inguinal", "short_axis_mm": 11.0, "since": "new"},
        {"region": "iliac", "short_axis_mm": 14.0, "since": "unchanged"},
    ]
    disputed(sqlite_room, second=STABLE)
    assert outcome(sqlite_room).new_node_mm is None
    sqlite_room.case("S02", ("BASELINE", "D28"))
    sqlite_room.assign("S02")
    for name in ("reader1", "reader2"):
        for answers in (BASELINE, STABLE | {"nodes": nodes}):
            item = next(i for i in items_of(sqlite_room, name) if i.next_visit)
            sqlite_room.lock(name, answers, item=item)
    found = final.outcome(sqlite_room.store, sqlite_room.coordinator, "S02", "D28")
    assert found.new_node_mm == 11.0


def test_the_adjudicator_sees_images_up_to_the_visit_and_both_outlines(room):
    room.case(labels=("BASELINE", "D28", "M3"))
    reads = disputed_case_with_masks(room)
    dispute = only(room)
    source = adjudication.image_source(room.store, room.judge, dispute.id, "BASELINE")
    assert source.visit == "BASELINE"
    with pytest.raises(NotFoundError):
        adjudication.image_source(room.store, room.judge, dispute.id, "M3")
    pair = adjudication.view(room.store, room.judge, dispute.id)
    outlines = [
        adjudication.mask(room.store, room.judge, dispute.id, r.masks["graft"])
        for r in (pair.first, pair.second)
    ]
    assert {m.voxels for m in outlines} == {8, 64}
    assert all(isinstance(m, Mask) for m in outlines)
    with pytest.raises(NotFoundError):
        adjudication.mask(room.store, room.judge, dispute.id, "0" * 64)
    assert reads


def disputed_case_with_masks(room):
    room.assign()
    reads = {}
    for name, answers, size in (("reader1", STABLE, 4), ("reader2", LARGER, 6)):
        room.lock(name, BASELINE)
        draft = room.draft(name, answers)
        masks.keep(room.store, room.people[name], draft.id, block(2, size), "seeded")
        reads[name] = room.lock(name, answers)
    return reads


def test_the_coordinator_sees_what_the_readers_differ_on_and_whether_it_is_decided(room):
    disputed(room)
    (open_one,) = overview.discordances(room.store, room.coordinator)
    assert (open_one.case_id, open_one.visit, open_one.decided) == ("S01", "D28", False)
    assert open_one.differing == ("morphological_stability",)
    decide(room, "first")
    (decided,) = overview.discordances(room.store, room.coordinator)
    assert decided.decided
    with pytest.raises(ForbiddenError):
        overview.discordances(room.store, room.judge)


def test_only_adjudicators_adjudicate(sqlite_room):
    disputed(sqlite_room)
    dispute = only(sqlite_room)
    for name in ("reader1", "coordinator", "admin"):
        actor = sqlite_room.people[name]
        with pytest.raises(ForbiddenError):
            adjudication.open_items(sqlite_room.store, actor)
        with pytest.raises(ForbiddenError):
            adjudication.view(sqlite_room.store, actor, dispute.id)
        with pytest.raises(ForbiddenError):
            adjudication.decide(
                sqlite_room.store, actor, dispute.id, "first", sqlite_room.pen("judge", "x")
            )
        with pytest.raises(ForbiddenError):
            adjudication.image_source(sqlite_room.store, actor, dispute.id, "D28")


def test_a_withdrawn_reader_s_dispute_is_closed_but_can_still_be_looked_at(sqlite_room):
    disputed(sqlite_room)
    dispute = only(sqlite_room)
    assigning.withdraw(sqlite_room.store, sqlite_room.coordinator, 2, "knew the patient")
    assert adjudication.open_items(sqlite_room.store, sqlite_room.judge) == ()
    assert adjudication.view(sqlite_room.store, sqlite_room.judge, dispute.id).dispute == dispute
    assert outcome(sqlite_room).basis is Basis.OPEN


def test_a_coordinator_asks_the_reader_answers_and_the_coordinator_closes(room):
    reads = disputed(room)
    read = reads["reader1"]
    query = queries.ask(room.store, room.coordinator, read.id, "Is the <b>slice</b> right?")
    (seen,) = queries.of_actor(room.store, room.reader1)
    assert (seen.code, seen.visit) == (read.code, "D28")
    assert [(m.author, m.text) for m in seen.messages] == [
        ("coordinator", "Is the <b>slice</b> right?")
    ]
    assert queries.of_actor(room.store, room.reader2) == ()
    queries.answer(room.store, room.reader1, query, "It is.")
    queries.close(room.store, room.coordinator, query, "Thank you.")
    (closed,) = queries.of_actor(room.store, room.coordinator)
    assert closed.closed
    assert [m.author for m in closed.messages] == ["Coordinator", "Reader1", "Coordinator"]
    with pytest.raises(OrderError, match="closed"):
        queries.answer(room.store, room.reader1, query, "One more thing")


def test_a_query_waits_for_the_signature_and_is_for_its_reader_alone(sqlite_room):
    sqlite_room.case()
    sqlite_room.assign()
    draft = sqlite_room.draft("reader1", BASELINE)
    store, coordinator = sqlite_room.store, sqlite_room.coordinator
    with pytest.raises(OrderError, match="could steer it"):
        queries.ask(store, coordinator, draft.id, "Why?")
    sqlite_room.lock("reader1", BASELINE)
    for text in ("", "  ", "x" * 2001, "a\0b"):
        with pytest.raises(FormError, match="1 to 2000 characters"):
            queries.ask(store, coordinator, draft.id, text)
    query = queries.ask(store, coordinator, draft.id, "Why?")
    with pytest.raises(ForbiddenError, match="not yours"):
        queries.answer(store, sqlite_room.reader2, query, "Because")
    with pytest.raises(NotFoundError, match="no query 99"):
        queries.close(store, coordinator, 99, "Because")
    with pytest.raises(ForbiddenError):
        queries.ask(store, sqlite_room.reader1, draft.id, "Why?")
