import zlib
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis.extra.numpy import arrays
from reading_room import BASELINE, GRID, block, case_visits
from sqlalchemy import text
from test_worklist import changed

from imaging.geometry import Geometry
from imaging.volume import Mask
from readers import cases, masks
from readers.errors import ForbiddenError, MaskVersionError, NotFoundError, OrderError


def opened(room, **sections):
    version = room.case()
    room.assign(paradigm=changed(**sections))
    masks.keep_machine(room.store, room.coordinator, version.id, "BASELINE", "graft", block(1, 9))
    return room.draft("reader1", BASELINE)


def test_a_mask_comes_back_bit_for_bit_on_its_own_grid(room):
    read = opened(room)
    made = masks.keep(room.store, room.reader1, read.id, block(), "seeded")
    again = masks.load(room.store, room.reader1, read.id, made.id)
    assert np.array_equal(again.array, block().array)
    assert again.geometry.same_grid(GRID)
    assert again.geometry.frame_of_reference == GRID.frame_of_reference
    assert made.sha256 == masks.mask_sha256(block())


def test_each_edit_is_a_version_that_says_who_made_it_from_which(room):
    read = opened(room)
    first = masks.keep(room.store, room.reader1, read.id, block(), "seeded")
    second = masks.keep(room.store, room.reader1, read.id, block(2, 6), "edited", parent=first.id)
    undone = masks.keep(room.store, room.reader1, read.id, block(), "edited", parent=second.id)
    assert undone.sha256 == first.sha256
    own = masks.versions(room.store, room.reader1, read.id)
    assert [(v.source, v.parent_id, v.author) for v in own] == [
        ("seeded", None, "reader1"), ("edited", first.id, "reader1"),
        ("edited", second.id, "reader1"),
    ]  # fmt: skip


def test_a_signature_is_bound_to_the_newest_mask_of_each_structure(sqlite_room):
    read = opened(sqlite_room)
    store, actor = sqlite_room.store, sqlite_room.reader1
    masks.keep(store, actor, read.id, block(), "seeded")
    masks.keep(store, actor, read.id, block(2, 6), "edited")
    masks.keep(store, actor, read.id, block(0, 1), "edited", structure="rectus_left")
    with store.reading() as connection:
        assert masks.newest_hashes(connection, read.id) == {
            "graft": masks.mask_sha256(block(2, 6)),
            "rectus_left": masks.mask_sha256(block(0, 1)),
        }
    sqlite_room.lock("reader1", BASELINE)
    with pytest.raises(OrderError, match="is signed"):
        masks.keep(store, actor, read.id, block(), "edited")


def test_the_machine_s_mask_is_seen_after_the_lock(room):
    read = opened(room)
    assert masks.versions(room.store, room.reader1, read.id) == ()
    with pytest.raises(NotFoundError, match="no mask 1 that may be seen"):
        masks.load(room.store, room.reader1, read.id, 1)
    with pytest.raises(NotFoundError):
        masks.keep(room.store, room.reader1, read.id, block(), "edited", parent=1)
    room.lock("reader1", BASELINE)
    (machine,) = masks.versions(room.store, room.reader1, read.id)
    assert (machine.source, machine.read_id) == ("automatic", None)
    assert masks.load(room.store, room.reader1, read.id, machine.id).voxels == 7 * 8 * 8


def test_a_paradigm_may_let_readers_start_from_the_machine_s_outline(sqlite_room):
    read = opened(sqlite_room, blinding={"machine_outline_before_lock": True})
    store, actor = sqlite_room.store, sqlite_room.reader1
    (machine,) = masks.versions(store, actor, read.id)
    edited = masks.keep(store, actor, read.id, block(), "edited", parent=machine.id)
    assert edited.parent_id == machine.id


def test_another_reader_s_masks_are_never_seen(room):
    read = opened(room)
    made = masks.keep(room.store, room.reader1, read.id, block(), "seeded")
    other = room.draft("reader2", BASELINE)
    assert masks.versions(room.store, room.reader2, other.id) == ()
    for read_id in (read.id, other.id):
        with pytest.raises((ForbiddenError, NotFoundError)):
            masks.load(room.store, room.reader2, read_id, made.id)
    with pytest.raises(NotFoundError):
        masks.keep(room.store, room.reader2, other.id, block(), "edited", parent=made.id)


SHIFTED = Geometry(np.diag([1.0, 1.0, 4.0, 1.0]) + np.eye(4, k=3) * 0.5, GRID.shape, "1.2.3")


@pytest.mark.parametrize(
    "grid",
    [
        Geometry(GRID.affine, (16, 12, 7), "1.2.3"),
        Geometry(GRID.affine, (12, 16, 8), "1.2.3"),
        SHIFTED,
        Geometry(GRID.affine, GRID.shape, "9.9"),
    ],
    ids=["fewer slices", "turned", "shifted by half a mm", "another frame of reference"],
)
def test_a_mask_on_another_grid_than_its_image_is_refused(sqlite_room, grid):
    read = opened(sqlite_room)
    with pytest.raises(MaskVersionError, match="is not that of the visit"):
        masks.keep(
            sqlite_room.store, sqlite_room.reader1, read.id, Mask(np.ones(grid.shape), grid),
            "edited",
        )  # fmt: skip


def test_a_visit_without_t2_has_no_grid_for_masks(sqlite_room):
    bare = replace(case_visits(("BASELINE",))[0], images={"t1w_fs": "0" * 64}, grid=None)
    cases.register(sqlite_room.store, sqlite_room.coordinator, "S02", [bare])
    sqlite_room.assign("S02")
    read = sqlite_room.draft("reader1", {})
    with pytest.raises(MaskVersionError):
        masks.keep(sqlite_room.store, sqlite_room.reader1, read.id, block(), "seeded")


@settings(max_examples=30, deadline=None)
@given(arrays(bool, (5, 3, 7)))
def test_what_a_browser_sends_is_decoded_bit_for_bit(array):
    grid = Geometry(np.eye(4), array.shape)
    decoded = masks.decode(masks.encode(Mask(array, grid)), grid)
    assert np.array_equal(decoded.array, array)


@pytest.mark.parametrize(
    ("packed", "said"),
    [
        (b"", "0 bytes where"),
        (b"not zlib", "damaged"),
        (zlib.compress(b"\0" * 10), "10 bytes"),
        (zlib.compress(b"\0" * 193), "193 bytes"),
        (zlib.compress(b"\0" * 500_000_000), "193 bytes"),
        (zlib.compress(b"\xff" * 192)[:-8], "bytes where|damaged"),
    ],
    ids=["empty", "no compression", "too few", "one too many", "a bomb", "cut short"],
)
def test_a_forged_or_damaged_mask_is_refused_without_filling_the_memory(packed, said):
    with pytest.raises(MaskVersionError, match=said):
        masks.decode(packed, GRID)


def test_the_machine_s_mask_is_kept_once_and_again_when_it_changed(sqlite_room):
    version = sqlite_room.case()
    store, coordinator = sqlite_room.store, sqlite_room.coordinator

    def keep(mask):
        return masks.keep_machine(store, coordinator, version.id, "M3", "graft", mask).id

    assert keep(block()) == keep(block())
    assert keep(block(2, 6)) != keep(block())
    with pytest.raises(ForbiddenError):
        masks.keep_machine(store, sqlite_room.reader1, version.id, "M3", "graft", block())


def test_what_was_measured_on_a_version_is_kept_with_it(sqlite_room):
    read = opened(sqlite_room)
    store, actor = sqlite_room.store, sqlite_room.reader1
    made = masks.keep(store, actor, read.id, block(), "seeded")
    assert masks.measured(store, actor, read.id, made.id) is None
    masks.keep_measured(store, actor, read.id, made.id, {"volume_ml": 0.108})
    masks.keep_measured(store, actor, read.id, made.id, {"volume_ml": 0.109})
    assert masks.measured(store, actor, read.id, made.id) == {"volume_ml": 0.109}
    with pytest.raises(NotFoundError):
        masks.keep_measured(store, actor, read.id, 1, {})  # the machine's


def test_a_mask_changed_behind_the_store_s_back_is_not_shown(sqlite_room):
    read = opened(sqlite_room)
    store, actor = sqlite_room.store, sqlite_room.reader1
    made = masks.keep(store, actor, read.id, block(), "seeded")
    with store.engine.begin() as connection:
        connection.execute(text("DROP TRIGGER mask_content_update_refused"))
        connection.execute(
            text("UPDATE mask_content SET packed = :p WHERE sha256 = :s"),
            {"p": masks.encode(block(2, 6)), "s": made.sha256},
        )
    with pytest.raises(MaskVersionError, match="is not what was kept"):
        masks.load(store, actor, read.id, made.id)
