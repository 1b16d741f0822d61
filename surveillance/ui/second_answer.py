"""Second answer: a correction, or a change of mind after the program's values were seen."""

from __future__ import annotations

import streamlit as st

from imaging.errors import GraftsiteError
from readers.answers import plain
from readers.form import load_form
from readers.read import Read, parse_content
from readers.signing import Given
from surveillance.ui.acting import heard
from surveillance.ui.desk import Desk
from surveillance.ui.form import Look, Status, described, mount_form
from surveillance.ui.form.contract import answers_of
from surveillance.ui.form.mount import number_of
from surveillance.ui.signing import Task, sign_here, stopped


def begun(read_id: int) -> Task | None:
    """Return what the reader has begun, None when nothing."""
    found: Task | None = st.session_state.get(f"second-{read_id}")
    return found


def begin(read: Read, task: Task) -> None:
    """Begin with the answers that were signed last."""
    last = read.signed[-1].content
    st.session_state[f"second-{read.id}"] = task
    st.session_state[f"second-answers-{read.id}"] = plain(last.answers)
    st.rerun(scope="fragment")


def draw(desk: Desk, read: Read, task: Task) -> None:
    """Draw the form of the second answer; until it is signed only session and tab hold it."""
    # Named by what was signed before: a tab brings back no answers that were signed since.
    key = f"{task}-{read.id}-{len(read.signed)}"
    if st.button(desk.text("results.back")):
        _end(read.id)
        st.rerun(scope="fragment")
    st.caption(desk.text(f"results.about_{task}"))
    given = Given(st.session_state[f"second-answers-{read.id}"], read.signed[-1].content.marks)
    content = parse_content(load_form(read.form_version), given.answers, given.marks)
    finishing = st.session_state.pop(f"finish-{key}", False)
    look = Look(
        desk.language,
        st.session_state.get(f"status-{key}", Status()),
        action=desk.text("reading.lock"),
        tried=True,
        name=key,
        to_problem=finishing,
    )
    told = described(read, content, desk.station.protocol, look)
    mount_form(
        told,
        key,
        on_answers=lambda: _take(desk, read, key, "answers"),
        on_finish=lambda: _take(desk, read, key, "finish"),
    )
    if finishing and not stopped(desk, read, content):
        sign_here(desk, read, task, given, after=lambda: _end(read.id))


def _take(desk: Desk, read: Read, key: str, kind: str) -> None:
    message = heard(desk, key, kind, key)
    last = st.session_state.get(f"status-{key}", Status())
    if message is None or (echo := number_of(message)) <= last.echo:
        return
    try:
        parsed = parse_content(load_form(read.form_version), answers_of(message))
    except GraftsiteError as error:
        st.session_state[f"status-{key}"] = Status("failed", error.told(desk.language), echo)
        return
    st.session_state[f"second-answers-{read.id}"] = plain(parsed.answers)
    st.session_state[f"status-{key}"] = Status("held", desk.text("results.not_signed"), echo)
    st.session_state[f"finish-{key}"] = kind == "finish"


def _end(read_id: int) -> None:
    for name in ("second", "second-answers"):
        st.session_state.pop(f"{name}-{read_id}", None)
