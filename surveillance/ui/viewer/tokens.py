"""Tokens: who may fetch which array, and for how long.

A token is 128 random bits that name one array for one signed-in session in one browser. Unknown,
expired, withdrawn and another browser's tokens all get the same answer: nothing.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from threading import Lock

from surveillance.ui.viewer.voxels import ServedMask, ServedVolume

Content = ServedVolume | ServedMask
LIFETIME_S = 15 * 60.0


@dataclass(frozen=True, slots=True, eq=False)
class _Grant:
    content: Content
    session: str
    browser: str
    expires_s: float


class TokenOffice:
    """Issues tokens and tells what a token admits to.

    Parameters
    ----------
    lifetime_s
        How long a token lives. A rerun of the page in the second half of it gets a new one.
    clock
        Seconds that never run backwards, so that a clock set back lengthens no life.
    """

    def __init__(
        self, lifetime_s: float = LIFETIME_S, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._lifetime_s = lifetime_s
        self._clock = clock
        self._grants: dict[str, _Grant] = {}
        self._lock = Lock()

    def issue(self, content: Content, session: str, browser: str) -> str:
        """Return a token for `content`: the last one while it has half its life before it."""
        with self._lock:
            self._drop_expired()
            enough = self._clock() + self._lifetime_s / 2
            for token, grant in self._grants.items():
                mine = (grant.session, grant.browser) == (session, browser)
                if mine and grant.content is content and grant.expires_s >= enough:
                    return token
            token = secrets.token_urlsafe(16)
            expires_s = self._clock() + self._lifetime_s
            self._grants[token] = _Grant(content, session, browser, expires_s)
            return token

    def admit(self, token: str, browser: str) -> Content | None:
        """Return what the token opens for this browser, None when nothing."""
        with self._lock:
            self._drop_expired()
            grant = self._grants.get(token)
        if grant is None or not browser or not secrets.compare_digest(grant.browser, browser):
            return None
        return grant.content

    def forget(self, session: str) -> None:
        """Withdraw all tokens of a session."""
        with self._lock:
            self._grants = {t: g for t, g in self._grants.items() if g.session != session}

    def _drop_expired(self) -> None:
        now = self._clock()
        self._grants = {t: g for t, g in self._grants.items() if g.expires_s > now}


@cache
def process_office() -> TokenOffice:
    """Return the office of this process: the routes and the pages of one server share it."""
    return TokenOffice()
