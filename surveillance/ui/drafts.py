"""Drafts: saving what a reader has, from form and viewer, against what another tab saved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import streamlit as st

from imaging.errors import GraftsiteError
from readers import reading
from readers.answers import plain
from readers.errors import DraftConflictError
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
    """

    revision: int
    status: Status = field(default_factory=Status)
    kept: int | None = None


def tab_of(read: Read) -> Tab:
    """Return what this tab knows of a draft; the first time, what the store has now."""
    found: Tab = st.session_state.setdefault(f"tab-{read.id}", Tab(read.revision))
    return found


def save(
    desk: Desk,
    read_id: int,
    *,
    answers: Mapping[str, Any] | None = None,
    marks: tuple[Mark, ...] | None = None,
    spent_s: float = 0.0,
    echo: int = 0,
) -> bool:
    """Save answers or marks or both; say how it went in the form, and return whether it was.

    What is not given stays as it is stored.
    """
    store, actor = desk.station.store, desk.actor
    tab: Tab = st.session_state[f"tab-{read_id}"]  # the page that saves has shown the draft
    saved_text = desk.text("reading.saved")
    try:
        read = reading.load(store, actor, read_id)
        saved = reading.save_draft(
            store,
            actor,
            read_id,
            revision=tab.revision,
            answers=plain(read.content.answers) if answers is None else answers,
            marks=read.content.marks if marks is None else marks,
            spent_s=spent_s,
        )
    except DraftConflictError as error:
        tab.kept = error.kept
        tab.status = Status("conflict", error.told(desk.language), echo)
        return False
    except GraftsiteError as error:
        tab.status = Status("failed", error.told(desk.language), echo)
        return False
    tab.revision, tab.status = saved.revision, Status("saved", saved_text, echo)
    return True


def take_stored(desk: Desk, read: Read) -> None:
    """Go on with what the other tab saved."""
    tab = tab_of(read)
    tab.revision, tab.kept = read.revision, None
    tab.status = Status("taken", desk.text("reading.taken"))


def take_mine(desk: Desk, read: Read, kept: int) -> None:
    """Go on with what this tab had when the other one saved first."""
    content = reading.copy(desk.station.store, desk.actor, read.id, kept)
    tab = tab_of(read)
    tab.revision, tab.kept = read.revision, None
    if save(desk, read.id, answers=plain(content.answers), marks=content.marks):
        tab.status = Status("taken", desk.text("reading.saved"))
