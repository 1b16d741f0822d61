"""Drafts: saving what a reader has, from form and viewer, against what another tab saved."""

from __future__ import annotations

from collections.abc import Mapping
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


def status_of(read: Read) -> Status:
    """Return how the last save of a read fared in this tab."""
    found: Status = st.session_state.get(f"status-{read.id}", Status())
    return found


def set_status(read_id: int, status: Status) -> None:
    """Note how a save fared."""
    st.session_state[f"status-{read_id}"] = status


def revision_of(read: Read) -> int:
    """Return the revision that this tab shows; another one in the store is another tab's."""
    found: int = st.session_state.setdefault(f"revision-{read.id}", read.revision)
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
    try:
        read = reading.load(store, actor, read_id)
        saved = reading.save_draft(
            store,
            actor,
            read_id,
            revision=revision_of(read),
            answers=plain(read.content.answers) if answers is None else answers,
            marks=read.content.marks if marks is None else marks,
            spent_s=spent_s,
        )
    except DraftConflictError as error:
        st.session_state[f"kept-{read_id}"] = error.kept
        set_status(read_id, Status("conflict", error.told(desk.language), echo))
        return False
    except GraftsiteError as error:
        set_status(read_id, Status("failed", error.told(desk.language), echo))
        return False
    st.session_state[f"revision-{read_id}"] = saved.revision
    set_status(read_id, Status("saved", desk.text("reading.saved"), echo))
    return True


def take_stored(desk: Desk, read: Read) -> None:
    """Go on with what the other tab saved."""
    st.session_state[f"revision-{read.id}"] = read.revision
    set_status(read.id, Status("taken", desk.text("reading.taken")))


def take_mine(desk: Desk, read: Read, kept: int) -> None:
    """Go on with what this tab had when the other one saved first."""
    content = reading.copy(desk.station.store, desk.actor, read.id, kept)
    st.session_state[f"revision-{read.id}"] = read.revision
    if save(desk, read.id, answers=plain(content.answers), marks=content.marks):
        set_status(read.id, Status("taken", desk.text("reading.saved")))
