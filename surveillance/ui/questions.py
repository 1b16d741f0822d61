"""The coordinator's queries: questions about locked reads, and what the readers answered."""

from __future__ import annotations

import streamlit as st

from readers import assigning, queries
from readers.queries import TEXT_CHARS_MAX, Query
from readers.worklist import VisitState
from surveillance.ui.acting import act
from surveillance.ui.desk import Desk
from surveillance.ui.shell import bar, page


def draw(desk: Desk) -> None:
    """Draw the page."""
    bar(desk, desk.text("page.questions"))
    with page():
        _ask(desk)
        found = queries.of_actor(desk.station.store, desk.actor)
        for query in sorted(found, key=lambda q: q.closed):
            _query(desk, query)


def _ask(desk: Desk) -> None:
    store, actor = desk.station.store, desk.actor
    locked = {
        visit.read_id: f"{each.case_id} · {visit.label} · {each.reader}"
        for each in assigning.progress(store, actor)
        for visit in each.visits
        if visit.state is VisitState.LOCKED
    }
    if not locked:
        st.info(desk.text("questions.nothing_locked"))
        return
    with st.form("ask", clear_on_submit=True):
        read_id = st.selectbox(
            desk.text("questions.read"), list(locked), format_func=locked.__getitem__
        )
        said = st.text_area(desk.text("questions.question"), max_chars=TEXT_CHARS_MAX)
        pressed = st.form_submit_button(desk.text("questions.ask"), type="primary")
    if pressed and read_id is not None:
        act(desk, lambda: queries.ask(store, actor, read_id, said))


def _query(desk: Desk, query: Query) -> None:
    store, actor = desk.station.store, desk.actor
    with st.container(border=True):
        st.markdown(f"**{query.code} · {query.visit}**")
        for message in query.messages:
            st.text(f"{message.at[:16]} {message.author}: {message.text}")
        if query.closed:
            st.badge(desk.text("questions.closed"))
            return
        with st.container(horizontal=True, vertical_alignment="bottom"):
            said = st.text_input(desk.text("questions.result"), key=f"result-{query.id}")
            if st.button(desk.text("questions.close"), key=f"close-{query.id}"):
                act(desk, lambda: queries.close(store, actor, query.id, said))
