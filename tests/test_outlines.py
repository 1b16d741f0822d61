"""Outlines: what is believed of a follow-up that nothing lays on its baseline."""

from functools import cache

import numpy as np
import pytest
from abdomen import abdomen
from test_assessment import series, visit

from imaging.concurrency import Inline
from imaging.guidance import Guidance
from imaging.outlines import Earlier, outline_graft
from imaging.preparation import prepare_visits
from imaging.protocol import load_protocol
from imaging.registration import Registration
from imaging.series import Role
from imaging.transform import identity
from imaging.visit import VisitName
from imaging.volume import Volume

PROTOCOL = load_protocol()
GUESS = PROTOCOL.segmentation.graft_invisible_confidence
LOST = Registration(identity(), False, None, None, "not found")
FOCUS_MM, FOCUS_AT_MM = 12.0, (30.0, -66.0, 21.0)


def with_focus():
    """The abdomen whose graft looks like muscle, but for one bright ball of 12 mm."""
    t2, t1, left, _ = abdomen(graft=False)
    centre = np.array(FOCUS_AT_MM)
    points = t2.geometry.to_world(np.moveaxis(np.indices(t2.geometry.shape), 0, -1))
    ball = (np.linalg.norm(points - centre, axis=-1) <= FOCUS_MM / 2) & left.array
    bright = np.where(ball, 700.0, t2.array).astype(np.float32)
    dark = np.where(ball, 90.0, t1.array).astype(np.float32)
    return Volume(bright, t2.geometry), Volume(dark, t1.geometry)


@cache
def prepared(whole):
    t2, t1 = abdomen(graft=True)[:2] if whole else with_focus()
    name = VisitName.M6
    images = visit(name, 182, series(t2, Role.T2W_FS), series(t1, Role.T1W_FS))
    (only,) = prepare_visits((images,), PROTOCOL, Inline())
    return only.result()[0]


def outlined(whole, earlier):
    found = prepared(whole)
    return outline_graft("M6", found.images, found.muscles, earlier, Guidance(), PROTOCOL)


@pytest.fixture(scope="module")
def graft():
    return outlined(whole=True, earlier=None)


def test_a_focus_alone_where_a_graft_was_is_not_surely_the_graft(graft):
    alone, found = (outlined(False, earlier) for earlier in (None, Earlier(graft, LOST)))
    assert alone.mask.voxels < graft.mask.voxels / 2
    assert alone.confidence > GUESS, "nothing was known of a larger graft"
    assert (found.mask.array == alone.mask.array).all()
    assert found.confidence == GUESS
    assert "of the baseline's volume is seen" in found.reasons[0]


def test_a_graft_of_the_baselines_size_is_believed_wherever_it_lies(graft):
    assert outlined(True, Earlier(graft, LOST)).confidence == graft.confidence
