"""Drafts: saving what a reader has, from form and viewer, against what another tab saved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

import streamlit as st

from imaging.errors import GraftsiteError
from readers import reading
from readers.answers import plain
from readers.errors import DraftConflictError, StoreError
from readers.marks import Mark
from readers.read import Read
from surveillance.ui.desk import Desk
from surveillance.ui.form import Status


@dataclass(slots=True)
class Tab:
    """What this tab knows of a draft.

    Mutable, unlike values elsewhere: Streamlit may end a script at every access to the session
    state, so what follows a write to the store is noted by plain assignments, which it cannot
    part from it. Else the tab would take its own save for another tab's.

    Parameters
    ----------
    revision
        The one that this tab shows; another one in the store is another tab's.
    status
        How the last save fared.
    kept
        Revision under which the store keeps what this tab had when another one saved first.
    turn
        Held while something is saved: Streamlit starts a script before the one it stops has
        ended, and two saves of one revision would look like two tabs.
    heard
        Number of the newest message of the form that was taken. Of two scripts that run at once
        the one with the older message may come last; what it holds is no news.
    last
        The draft as it was shown last.
    """

    revision: int
    status: Status = field(default_factory=Status)
    kept: int | None = None
    turn: Lock = field(default_factory=Lock)
    heard: int = 0
    last: Read | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """What is saved; what is None stays as it is stored."""

    answers: Mapping[str, Any] | None = None
    marks: tuple[Mark, ...] | None = None
    spent_s: float = 0.0


def tab_of(desk: Desk, read: Read) -> Tab:
    """Return what this tab knows of a draft; the first time, what the store has now."""
    kept = read.revision > reading.REVISION_OPENED
    status = Status("saved", desk.text("reading.saved")) if kept else Status()
    found: Tab = st.session_state.setdefault(f"tab-{read.id}", Tab(read.revision, status))
    return found


def shown(desk: Desk, read_id: int) -> tuple[Read, Status]:
    """Return a draft with how its last save fared, of one moment.

    While the store is away the form stays with what was shown last, and goes on asking.
    """
    tab: Tab = st.session_state[f"tab-{read_id}"]  # the page has called `tab_of`
    with tab.turn:
        try:
            tab.last = reading.load(desk.station.store, desk.actor, read_id)
        except StoreError as error:
            if tab.last is None:
                raise
            return tab.last, Status("failed", error.told(desk.language), tab.heard)
        return tab.last, tab.status


def save(desk: Desk, read_id: int, change: Change, echo: int | None = None) -> bool:
    """Save in the tab whose page calls; see `saved`."""
    tab: Tab = st.session_state[f"tab-{read_id}"]
    return saved(desk, tab, read_id, change, echo)


def saved(desk: Desk, tab: Tab, read_id: int, change: Change, echo: int | None = None) -> bool:
    """Save a change; note in the tab how it went, for the form to say, and return whether it was.

    Parameters
    ----------
    echo
        Number of the form's message; None for what is no answer to one.
    """
    text = desk.text("reading.saved")
    with tab.turn:
        if echo is not None and echo <= tab.heard:
            return False
        number = tab.heard if echo is None else echo
        try:
            read = _store(desk, tab.revision, read_id, change)
        except DraftConflictError as error:
            tab.kept = error.kept
            tab.status = Status("conflict", error.told(desk.language), number)
        except StoreError as error:  # not heard, so the form sends it again
            tab.status = Status("failed", error.told(desk.language), tab.heard)
            return False
        except GraftsiteError as error:
            tab.status = Status("failed", error.told(desk.language), number)
        else:
            tab.revision, tab.status = read.revision, Status("saved", text, number)
        tab.heard = number
    return tab.status.state == "saved"


def _store(desk: Desk, revision: int, read_id: int, change: Change) -> Read:
    store, actor = desk.station.store, desk.actor
    before = reading.load(store, actor, read_id).content
    return reading.save_draft(
        store,
        actor,
        read_id,
        revision=revision,
        answers=plain(before.answers) if change.answers is None else change.answers,
        marks=before.marks if change.marks is None else change.marks,
        spent_s=change.spent_s,
    )


def take_stored(desk: Desk, read: Read) -> None:
    """Go on with what the other tab saved."""
    tab = tab_of(desk, read)
    tab.revision, tab.kept = read.revision, None
    tab.status = Status("taken", desk.text("reading.taken"), tab.heard)


def take_mine(desk: Desk, read: Read, kept: int) -> None:
    """Go on with what this tab had when the other one saved first."""
    content = reading.copy(desk.station.store, desk.actor, read.id, kept)
    tab = tab_of(desk, read)
    tab.revision = read.revision
    if save(desk, read.id, Change(plain(content.answers), content.marks)):
        tab.kept = None
        tab.status = Status("taken", desk.text("reading.saved"), tab.heard)
