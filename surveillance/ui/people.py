"""The administrator's page: accounts, their roles, locks and passwords."""

from __future__ import annotations

import streamlit as st

from readers import accounts
from readers.account import Account
from readers.actor import Role
from surveillance.ui.acting import act
from surveillance.ui.desk import Desk
from surveillance.ui.shell import bar, page


def draw(desk: Desk) -> None:
    """Draw the page."""
    bar(desk, desk.text("page.people"))
    with page():
        _shown_once(desk)
        _create(desk)
        for account in accounts.every(desk.station.store, desk.actor):
            _account(desk, account)


def _shown_once(desk: Desk) -> None:
    """Show a password that was just made, this once."""
    made = st.session_state.pop("made password", None)
    if made is not None:
        name, password = made
        st.success(desk.text("people.password_once", name=name))
        st.code(password, language=None)


def _create(desk: Desk) -> None:
    roles = {role: desk.text(f"desk.{role}") for role in Role}
    with (
        st.form("create", clear_on_submit=True),
        st.container(horizontal=True, vertical_alignment="bottom"),
    ):
        name = st.text_input(desk.text("people.name"), max_chars=40)
        display = st.text_input(desk.text("people.display_name"), max_chars=100)
        role = st.selectbox(desk.text("people.role"), list(roles), format_func=roles.__getitem__)
        pressed = st.form_submit_button(desk.text("people.create"), type="primary")
    if pressed:
        store, actor = desk.station.store, desk.actor
        act(desk, lambda: _keep(name, accounts.create(store, actor, name, display, role)))


def _keep(name: str, password: str) -> None:
    st.session_state["made password"] = (name, password)


def _account(desk: Desk, account: Account) -> None:
    store, actor, name = desk.station.store, desk.actor, account.name
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        st.text(f"{name} · {account.display_name} · {desk.text(f'desk.{account.role}')}")
        for state in ("locked", "disabled", "password_temporary"):
            if getattr(account, state):
                st.badge(desk.text(f"people.{state}"))
        if account.disabled:
            return
        if account.locked and st.button(desk.text("people.unlock"), key=f"unlock-{name}"):
            act(desk, lambda: accounts.unlock(store, actor, name))
        if st.button(desk.text("people.reset"), key=f"reset-{name}"):
            act(desk, lambda: _keep(name, accounts.reset_password(store, actor, name)))
        with st.popover(desk.text("people.more")):
            _identity(desk, account)
            reason = st.text_input(desk.text("signing.reason"), key=f"why-{name}")
            label = desk.text("people.disable")
            if st.button(label, key=f"disable-{name}", disabled=not reason.strip()):
                act(desk, lambda: accounts.disable(store, actor, name, reason))


def _identity(desk: Desk, account: Account) -> None:
    store, actor, name = desk.station.store, desk.actor, account.name
    label = desk.text("people.identity")
    identity = st.text_input(label, account.oidc_identity or "", key=f"identity-{name}")
    if st.button(desk.text("people.map"), key=f"map-{name}", disabled=not identity.strip()):
        act(desk, lambda: accounts.map_identity(store, actor, name, identity))
