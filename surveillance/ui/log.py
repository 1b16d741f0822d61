"""The audit log, as far as it unblinds nobody of the role that looks."""

from __future__ import annotations

import streamlit as st

from readers import audit_view
from surveillance.ui.desk import Desk
from surveillance.ui.shell import bar, page

_PAGE = 200


def draw(desk: Desk) -> None:
    """Draw the page, newest entries first."""
    bar(desk, desk.text("page.log"))
    with page():
        before = st.session_state.get("log before")
        found = audit_view.entries(desk.station.store, desk.actor, newest=_PAGE, before=before)
        names = ("seq", "at", "actor", "action", "target", "before", "after", "reason")
        rows = [{desk.text(f"log.{n}"): getattr(entry, n) or "" for n in names} for entry in found]
        st.dataframe(rows, hide_index=True, height=560)
        with st.container(horizontal=True):
            if before is not None and st.button(desk.text("log.newest")):
                del st.session_state["log before"]
                st.rerun()
            if len(found) == _PAGE and st.button(desk.text("log.older")):
                st.session_state["log before"] = found[-1].seq
                st.rerun()
        st.caption(desk.text("log.verify"))
