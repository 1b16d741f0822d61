from reading_room import BASELINE, LARGER, STABLE

from readers import adjudication, final
from readers.final import Basis


def test_two_readers_differ_and_the_adjudicator_decides(room):
    room.case()
    room.assign()
    for name, third in (("reader1", STABLE), ("reader2", LARGER)):
        for answers in (BASELINE, STABLE, third):
            room.lock(name, answers)
    (dispute,) = adjudication.open_items(room.store, room.judge)
    assert dispute.differing == ("morphological_stability",)
    assert final.outcome(room.store, room.coordinator, "S01", "M3").basis is Basis.OPEN
    assert final.outcome(room.store, room.coordinator, "S01", "D28").basis is Basis.AGREED
