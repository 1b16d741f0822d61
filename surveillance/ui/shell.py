"""Shell: the frame round every page: its style, and the bar with pages, person and language."""

from __future__ import annotations

from html import escape
from importlib.resources import files

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from surveillance.ui.desk import Desk, leave
from surveillance.ui.viewer.routes import route_url


def style() -> None:
    """Give the page the room a picture needs."""
    css = files("surveillance.ui").joinpath("shell.css").read_text("utf-8")
    st.html(f"<style>{css}</style>")


def bar(desk: Desk, title: str) -> None:
    """Draw the bar above a page: the pages of the role, where one is, who one is."""
    with st.container(
        horizontal=True, vertical_alignment="center", gap="small", key="bar", wrap=False
    ):
        for shown in st.session_state["shown pages"]:
            st.page_link(shown)
        st.html(f'<h1 class="what">{escape(title)}</h1>', width="stretch")
        st.html(_person(desk), width="content")
        if desk.station.configuration.sign_in.by_identity:
            label = desk.text("desk.sign_out")
            st.button(label, key="leave", type="tertiary", on_click=leave, args=(desk,))


def page() -> DeltaGenerator:
    """Return the place for a page that is read, not looked at: no wider than a line of text."""
    return st.container(key="page")


def _person(desk: Desk) -> str:
    other = "en" if desk.language == "zh" else "zh"
    language, name = route_url(f"language/{other}"), desk.text("desk.other_language")
    who = escape(f"{desk.actor.display_name} · {desk.text(f'desk.{desk.actor.role}')}")
    out = ""
    if not desk.station.configuration.sign_in.by_identity:
        address, label = route_url("sign-out"), desk.text("desk.sign_out")
        out = f' <a href="{address}" target="_self">{label}</a>'
    speak = f'<a href="{language}" target="_self" lang="{other}">{name}</a>'
    return f'<span class="person">{who} {speak}{out}</span>'
