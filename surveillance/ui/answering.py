"""Answering: the form beside the pictures; a fragment, so that an answer redraws nothing else."""

from __future__ import annotations

import streamlit as st

from readers import masks
from readers.read import Read
from surveillance.ui import drafts
from surveillance.ui.acting import heard, part
from surveillance.ui.desk import Desk
from surveillance.ui.form import Look, described, mount_form
from surveillance.ui.form.contract import answers_of, form_name
from surveillance.ui.form.mount import number_of, seconds_of
from surveillance.ui.measured import told
from surveillance.ui.signing import Task, sign_here, stopped


@part
def answer(desk: Desk, read_id: int) -> None:
    """Draw the form of a draft."""
    read, status = drafts.shown(desk, read_id)
    key = f"form-{read_id}"
    _conflict(desk, read)
    finishing = st.session_state.pop(f"finish-{read_id}", False)
    look = Look(
        desk.language,
        status,
        action=desk.text("reading.lock"),
        tried=f"tried-{read_id}" in st.session_state,
        note="" if status.state == "failed" else _outline(desk, read_id),
        to_problem=finishing,
    )
    mount_form(
        described(read, read.content, desk.station.protocol, look),
        key,
        on_answers=lambda: _take(desk, key, read_id, "answers"),
        on_finish=lambda: _take(desk, key, read_id, "finish"),
    )
    if finishing and not stopped(desk, read, read.content):
        sign_here(desk, read, Task.LOCK)


def _outline(desk: Desk, read_id: int) -> str:
    """Return what the reader's own outline measures."""
    store, actor = desk.station.store, desk.actor
    own = [v for v in masks.versions(store, actor, read_id) if v.read_id == read_id]
    return told(desk, masks.measured(store, actor, read_id, own[-1].id)) if own else ""


def _take(desk: Desk, key: str, read_id: int, kind: str) -> None:
    message = heard(desk, key, kind, form_name(read_id))
    if message is None:
        return
    change = drafts.Change(answers_of(message), spent_s=seconds_of(message))
    done = drafts.save(desk, read_id, change, echo=number_of(message))
    if kind == "finish":
        st.session_state[f"tried-{read_id}"] = True
        if done:
            st.session_state[f"finish-{read_id}"] = True


def _conflict(desk: Desk, read: Read) -> None:
    """Two tabs: the reader says which of the two goes on; the other stays in the store."""
    kept = drafts.tab_of(desk, read).kept
    if kept is None:
        return
    st.warning(desk.text("reading.two_tabs"))
    with st.container(horizontal=True):
        stored = st.button(desk.text("reading.take_stored"), key=f"stored-{read.id}")
        mine = st.button(desk.text("reading.take_mine"), key=f"mine-{read.id}")
    if stored or mine:
        if stored:
            drafts.take_stored(desk, read)
        else:
            drafts.take_mine(desk, read, kept)
        st.rerun()
