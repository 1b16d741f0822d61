"""The adjudicator's page: visits on which two readers differ."""

from __future__ import annotations

import streamlit as st

from readers import adjudication
from readers.form import load_form
from surveillance.ui.desk import Desk
from surveillance.ui.shell import bar, page


def draw(desk: Desk) -> None:
    """Draw the page."""
    bar(desk, desk.text("page.disputes"))
    with page():
        found = adjudication.open_items(desk.station.store, desk.actor)
        if not found:
            st.info(desk.text("disputes.none"))
        for dispute in found:
            with st.container(border=True, horizontal=True, vertical_alignment="center"):
                st.markdown(f"**{dispute.code}** · {dispute.visit}", width="content")
                st.text(desk.text("disputes.differ", what=differing(desk, dispute)))
                if st.button(desk.text("disputes.open"), key=f"open-{dispute.id}"):
                    st.switch_page(
                        st.session_state["pages"]["dispute"],
                        query_params={"dispute": str(dispute.id)},
                    )


def differing(desk: Desk, dispute: adjudication.Dispute) -> str:
    """Return what two readings differ in, as people say it."""
    return ", ".join(named(desk, name) for name in dispute.differing)


def named(desk: Desk, name: str) -> str:
    """Return the name of an endpoint or question as people say it."""
    form = load_form(desk.station.paradigm.form)
    if name in form.endpoints:
        return desk.text(f"machine.{name}")
    return desk.words(form.question(name).label)
