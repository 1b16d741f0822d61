"""Who may fetch which array: the office with a clock of the test's own."""

import time
from inspect import signature

import numpy as np
import pytest
from viewer_scenes import axial

from imaging.volume import Volume
from surveillance.ui.viewer.tokens import TokenOffice
from surveillance.ui.viewer.voxels import ServedVolume


class Clock:
    now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture()
def clock():
    return Clock()


@pytest.fixture()
def office(clock):
    return TokenOffice(lifetime_s=600.0, clock=clock)


def content():
    return ServedVolume(Volume(np.zeros((2, 2, 2), np.float32), axial((2, 2, 2), (1, 1, 1))))


def test_a_token_opens_its_own_array(office):
    one, other = content(), content()
    first, second = office.issue(one, "s", "b"), office.issue(other, "s", "b")
    assert office.admit(first, "b") is one
    assert office.admit(second, "b") is other


def test_a_token_is_128_random_bits(office):
    tokens = {office.issue(content(), "s", "b") for _ in range(50)}
    assert len(tokens) == 50
    assert {len(token) for token in tokens} == {22}  # 128 bits in base64


def test_a_rerun_gets_the_same_token_and_later_a_new_one(office, clock):
    array = content()
    first = office.issue(array, "s", "b")
    clock.now += 299
    assert office.issue(array, "s", "b") == first
    clock.now += 2
    second = office.issue(array, "s", "b")
    assert second != first
    assert office.admit(first, "b") is array  # what is on its way still arrives


def test_a_token_expires(office, clock):
    token = office.issue(content(), "s", "b")
    clock.now += 599.9
    assert office.admit(token, "b") is not None
    clock.now += 0.2
    assert office.admit(token, "b") is None


def test_an_expired_token_no_longer_holds_its_array(office, clock):
    array = content()
    token = office.issue(array, "s", "b")
    clock.now += 601
    office.issue(content(), "s", "b")
    clock.now -= 601
    assert office.admit(token, "b") is None


def test_a_token_is_worth_nothing_in_another_browser(office):
    token = office.issue(content(), "s", "alice's browser")
    assert office.admit(token, "mallory's browser") is None


def test_a_browser_without_a_cookie_is_never_admitted(office):
    token = office.issue(content(), "s", "")
    assert office.admit(token, "") is None


def test_signing_out_withdraws_the_tokens_of_that_session_only(office):
    array = content()
    mine, hers = office.issue(array, "mine", "b"), office.issue(array, "hers", "b")
    office.forget("mine")
    assert office.admit(mine, "b") is None
    assert office.admit(hers, "b") is array


def test_two_sessions_never_share_a_token(office):
    array = content()
    assert office.issue(array, "one", "b") != office.issue(array, "two", "b")


def test_a_token_nobody_issued_opens_nothing(office):
    assert office.admit("AAAAAAAAAAAAAAAAAAAAAA", "b") is None


def test_a_clock_set_back_lengthens_no_life():
    assert signature(TokenOffice).parameters["clock"].default is time.monotonic
