"""Signing: the dialog in which a reader proves who signs, and what."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

import streamlit as st

from imaging.errors import GraftsiteError
from readers import signing
from readers.edit_checks import Problem, problems
from readers.form import load_form
from readers.read import Content, Read, parse_content
from readers.signature import Identity, Password, Proof
from readers.signing import Given, Pen
from surveillance.ui.desk import Desk


class Task(StrEnum):
    """What is signed."""

    LOCK = "lock"
    CORRECT = "correct"
    CHANGE_MIND = "change_mind"


def sign_here(
    desk: Desk,
    read: Read,
    task: Task,
    given: Given | None = None,
    after: Callable[[], None] = lambda: None,
) -> None:
    """Open the dialog; `given` are new answers for a locked read, `after` is done when signed."""

    @st.dialog(desk.text(f"signing.{task}"), width="medium")
    def dialog() -> None:
        content = read.content
        if given is not None:
            content = parse_content(load_form(read.form_version), given.answers, given.marks)
        standing = _standing(desk, read, content)
        acknowledged = _acknowledged(desk, read, standing)
        reason = "" if task is Task.LOCK else st.text_area(desk.text("signing.reason"))
        with st.form("signature", border=False):
            proof = ask_proof(desk, desk.text("signing.statement", name=desk.actor.display_name))
            pressed = st.form_submit_button(desk.text("signing.sign"), type="primary")
        if not pressed:
            return
        pen = Pen(proof, desk.station.protocol, reason)
        if signed(desk, lambda: _sign(desk, read, task, pen, given, acknowledged)):
            after()
            st.rerun()

    dialog()


def ask_proof(desk: Desk, statement: str) -> Proof:
    """Ask for the proof of who signs, beside what is signed."""
    st.text(statement)
    if desk.station.configuration.sign_in.by_identity:
        return Identity(st.user.to_dict())
    return Password(
        st.text_input(
            desk.text("sign_in.password"), type="password", max_chars=1000, autocomplete="off"
        )
    )


def signed(desk: Desk, sign: Callable[[], object]) -> bool:
    """Sign; say why it was not possible, and return whether it was."""
    try:
        sign()
    except GraftsiteError as error:
        st.error(error.told(desk.language))
        if desk.station.configuration.sign_in.by_identity:
            st.button(desk.text("signing.prove"), on_click=st.login)
        return False
    return True


def _sign(
    desk: Desk, read: Read, task: Task, pen: Pen, given: Given | None, acknowledged: frozenset[str]
) -> None:
    store, actor = desk.station.store, desk.actor
    if given is None:
        signing.lock(store, actor, read.id, read.revision, pen, acknowledged)
        return
    complete = Given(given.answers, given.marks, acknowledged)
    again = signing.correct if task is Task.CORRECT else signing.change_mind
    again(store, actor, read.id, complete, pen)


def stopped(desk: Desk, read: Read, content: Content) -> bool:
    """Whether an edit check stands in the way of a signature."""
    return any(problem.severity == "error" for problem in _standing(desk, read, content))


def _standing(desk: Desk, read: Read, content: Content) -> tuple[Problem, ...]:
    form, protocol = load_form(read.form_version), desk.station.protocol
    return problems(form, content.answers, content.marks, read.tags, protocol)


def _acknowledged(desk: Desk, read: Read, standing: tuple[Problem, ...]) -> frozenset[str]:
    form = load_form(read.form_version)
    found = set()
    for problem in standing:
        label = desk.words(form.question(problem.at).label)
        if st.checkbox(f"{label}: {desk.words(problem.message)}", key=f"warn-{problem.id}"):
            found.add(problem.id)
    return frozenset(found)
