"""Third: the adjudicator's own answers, where neither reading stands; the readers' form again."""

from __future__ import annotations

import streamlit as st

from imaging.errors import GraftsiteError
from readers.adjudication import BlindedPair
from readers.answers import plain
from readers.form import load_form
from readers.read import parse_content
from readers.signing import Given
from surveillance.ui.acting import heard
from surveillance.ui.desk import Desk
from surveillance.ui.form import Look, Status, described, mount_form
from surveillance.ui.form.contract import answers_of
from surveillance.ui.form.mount import number_of


def third_reading(desk: Desk, pair: BlindedPair) -> Given:
    """Draw the form, filled with the first reading to begin with; return what it holds now."""
    name = f"third-{pair.dispute.id}"
    answers = st.session_state.setdefault(f"answers-{name}", plain(pair.first.content.answers))
    marks = (*pair.first.content.marks, *pair.second.content.marks)
    content = parse_content(load_form(pair.template.form_version), answers, _each_once(marks))
    status = st.session_state.get(f"status-{name}", Status())
    look = Look(desk.language, status, tried=True, name=name)
    mount_form(
        described(pair.template, content, desk.station.protocol, look),
        name,
        on_answers=lambda: _take(desk, pair, name),
        on_finish=lambda: None,
    )
    return Given(answers, content.marks)


def _each_once(marks: tuple[object, ...]) -> list[object]:
    return list({getattr(mark, "id", ""): mark for mark in marks}.values())


def _take(desk: Desk, pair: BlindedPair, name: str) -> None:
    message = heard(desk, name, "answers", name)
    last = st.session_state.get(f"status-{name}", Status())
    if message is None or (echo := number_of(message)) <= last.echo:
        return
    try:
        parsed = parse_content(load_form(pair.template.form_version), answers_of(message))
    except GraftsiteError as error:
        st.session_state[f"status-{name}"] = Status("failed", error.told(desk.language), echo)
        return
    st.session_state[f"answers-{name}"] = plain(parsed.answers)
    st.session_state[f"status-{name}"] = Status("held", desk.text("results.not_signed"), echo)
