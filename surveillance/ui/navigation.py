"""Navigation: which pages each role has; what a page is not listed under, it cannot be reached by.

A page is a function of the desk in a module of its own. It is imported when it is drawn.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module

import streamlit as st
from streamlit.navigation.page import StreamlitPage

from readers.actor import Role
from surveillance.ui.acting import told_plainly
from surveillance.ui.desk import Desk, arrive
from surveillance.ui.shell import style


@dataclass(frozen=True, slots=True)
class Place:
    """One page: the module that draws it, its address, and whether the bar shows it."""

    module: str
    address: str
    shown: bool = True


PAGES: dict[Role, tuple[Place, ...]] = {
    Role.READER: (Place("worklist", "worklist"), Place("reading", "reading", shown=False)),
    Role.ADJUDICATOR: (Place("disputes", "disputes"), Place("dispute", "dispute", shown=False)),
    Role.COORDINATOR: (
        Place("progress", "progress"),
        Place("questions", "queries"),
        Place("agreement", "agreement"),
        Place("export", "export"),
        Place("log", "log"),
    ),
    Role.ADMINISTRATOR: (Place("people", "accounts"), Place("log", "log")),
}


def navigate() -> None:
    """Draw the page that the address names, for who is signed in."""
    style()
    desk = arrive()
    places = PAGES[desk.actor.role]
    pages = {place: _page(desk, place, first=place is places[0]) for place in places}
    st.session_state["pages"] = {place.module: page for place, page in pages.items()}
    st.session_state["shown pages"] = [page for place, page in pages.items() if place.shown]
    st.navigation(list(pages.values()), position="hidden").run()


def _page(desk: Desk, place: Place, *, first: bool) -> StreamlitPage:
    def draw() -> None:
        drawn: Callable[[Desk], None] = import_module(f"surveillance.ui.{place.module}").draw
        with told_plainly(desk):
            drawn(desk)

    return st.Page(
        draw, title=desk.text(f"page.{place.module}"), url_path=place.address, default=first
    )
