"""The reading page: pictures on the left, questions on the right, nothing to scroll."""

from __future__ import annotations

import streamlit as st

from readers import reading
from readers.errors import NotFoundError
from readers.read import ReadStatus
from surveillance.ui.answering import answer
from surveillance.ui.desk import Desk
from surveillance.ui.drafts import tab_of
from surveillance.ui.results import results
from surveillance.ui.shell import bar
from surveillance.ui.viewing import look


def draw(desk: Desk) -> None:
    """Draw the page of the case and visit in the address."""
    item_id, visit = _asked_for()
    read = reading.open_read(desk.station.store, desk.actor, item_id, visit)
    bar(desk, f"{read.code} · {read.shown_visit}")
    tab_of(desk, read)  # what this tab shows from now on
    if read.newer_version:
        st.info(desk.text("reading.newer_version"))
    with st.container(key="read"):
        pictures, questions = st.columns([7, 3], gap=None, wrap=False)
    with pictures:
        look(desk, read.id)
    with questions:
        if read.status is ReadStatus.DRAFT:
            answer(desk, read.id)
        else:
            results(desk, read.id)


def _asked_for() -> tuple[int, str]:
    item, visit = st.query_params.get("case", ""), st.query_params.get("visit", "")
    if not item.isascii() or not item.isdigit() or len(item) > 9:
        raise NotFoundError("visit_unknown", visit=visit[:40])
    return int(item), visit
