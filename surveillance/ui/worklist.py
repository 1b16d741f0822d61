"""The reader's worklist: what is to be read next, and what the coordinator asked."""

from __future__ import annotations

import streamlit as st

from readers import queries, worklist
from readers.worklist import VisitState, WorkItem
from surveillance.ui.desk import Desk
from surveillance.ui.shell import bar, page

_SIGNS = {VisitState.LOCKED: "●", VisitState.OPEN: "◐", VisitState.WAITING: "○"}


def draw(desk: Desk) -> None:
    """Draw the page."""
    bar(desk, desk.text("page.worklist"))
    with page():
        items = worklist.of_reader(desk.station.store, desk.actor)
        _next(desk, items)
        _queries(desk)
        for item in items:
            _row(desk, item)


def _next(desk: Desk, items: tuple[WorkItem, ...]) -> None:
    waiting = [item for item in items if item.next_visit is not None]
    if not waiting:
        st.info(desk.text("worklist.nothing"))
        return
    first = waiting[0]
    done = sum(v.state is VisitState.LOCKED for item in items for v in item.visits)
    every = sum(len(item.visits) for item in items)
    left, right = st.columns([3, 1], vertical_alignment="center")
    left.progress(done / every, desk.text("worklist.progress", done=done, every=every))
    label = desk.text("worklist.read_next", code=first.code)
    if right.button(label, type="primary", width="stretch", key="next"):
        open_visit(first)


def _row(desk: Desk, item: WorkItem) -> None:
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        st.markdown(f"**{item.code}**", width=110)
        visits = "   ".join(f"{_SIGNS[v.state]} {v.shown}" for v in item.visits)
        st.text(visits, width="stretch")
        if item.next_visit is None:
            label = desk.text("worklist.look_again")
        else:
            label = desk.text("worklist.open", visit=item.next_visit.shown)
        if st.button(label, key=f"open-{item.id}"):
            open_visit(item)


def open_visit(item: WorkItem) -> None:
    """Go to the visit to read, or to the last one of a finished case."""
    visit = item.next_visit or item.visits[-1]
    st.switch_page(
        st.session_state["pages"]["reading"],
        query_params={"case": str(item.id), "visit": visit.label},
    )


def _queries(desk: Desk) -> None:
    open_ = [q for q in queries.of_actor(desk.station.store, desk.actor) if not q.closed]
    if open_:
        st.subheader(desk.text("worklist.queries"))
    for query in open_:
        with st.container(border=True):
            st.markdown(f"**{query.code} · {query.visit}**")
            for message in query.messages:
                st.text(f"{message.author}: {message.text}")
            reply = st.text_area(desk.text("worklist.answer"), key=f"reply-{query.id}")
            if st.button(desk.text("worklist.send"), key=f"send-{query.id}"):
                queries.answer(desk.station.store, desk.actor, query.id, reply)
                st.rerun()
