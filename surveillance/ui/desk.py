"""Desk: who sits at the page, in which language, at which station; known anew at every rerun."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from imaging.messages import text
from readers import sessions
from readers.actor import Actor
from readers.errors import SessionError
from readers.form import Words
from surveillance.station import Station
from surveillance.ui.gate import SESSION_COOKIE, session_name
from surveillance.ui.language import Language, page_language
from surveillance.ui.running import running_station
from surveillance.ui.viewer import forget_session


@dataclass(frozen=True, slots=True)
class Desk:
    """What every page is given; `session` names the signed-in session without opening it."""

    station: Station
    actor: Actor
    session: str
    language: Language

    @property
    def owner(self) -> str:
        """Names the person for what the browser keeps for them; the browser sees a hash."""
        return str(self.actor.account_id)

    def text(self, key: str, /, **values: object) -> str:
        """Return a sentence in the language of the page."""
        return text(key, self.language, **values)

    def words(self, words: Words) -> str:
        """Return words of a form in the language of the page."""
        return words.to(self.language)


def arrive() -> Desk:
    """Return the desk of this run; ask for a sign-in, and stop, when the session has ended.

    What was typed is kept: drafts are in the store, and what was not saved yet is in the tab
    (form.js) and comes back when the page is drawn again.
    """
    station, language = running_station(), page_language()
    token = _token()
    try:
        actor = sessions.resume(station.store, token)
    except SessionError as error:
        forget_session(session_name(token))
        _sign_in_again(station, language, error)
        st.stop()
    st.session_state["sat here"] = actor.name
    return Desk(station, actor, session_name(token), language)


def still_here(desk: Desk) -> bool:
    """Whether the session goes on: asked by what runs between two full runs of the script."""
    try:
        return sessions.resume(desk.station.store, _token()) == desk.actor
    except SessionError:
        return False


def leave(desk: Desk) -> None:
    """Sign out here and at the identity provider."""
    sessions.sign_out(desk.station.store, _token())
    forget_session(desk.session)
    st.session_state.pop("token", None)
    st.logout()


def _token() -> str:
    renewed = st.session_state.get("token")
    return str(renewed or st.context.cookies.get(SESSION_COOKIE, ""))


def _sign_in_again(station: Station, language: Language, ended: SessionError) -> None:
    if station.configuration.sign_in.by_identity:
        _identify(station, language)
        return
    name = st.session_state.get("sat here", "")
    st.warning(ended.told(language))
    st.write(text("desk.nothing_lost", language))
    with st.form("sign in again", width=360):
        st.text_input(text("sign_in.name", language), name, disabled=True)
        password = st.text_input(text("sign_in.password", language), type="password")
        pressed = st.form_submit_button(text("sign_in.button", language))
    if pressed:
        try:
            st.session_state["token"] = sessions.sign_in(station.store, name, password).token
        except SessionError as error:
            st.error(error.told(language))
        else:
            st.rerun()


def _identify(station: Station, language: Language) -> None:
    """Sign in at the identity provider."""
    if not st.user.is_logged_in:
        st.title("graftsite")
        st.button(text("sign_in.button", language), on_click=st.login, type="primary")
        return
    try:
        signed_in = sessions.sign_in_by_identity(station.store, st.user.to_dict())
    except SessionError as error:
        st.error(error.told(language))
        st.button(text("desk.sign_out", language), on_click=st.logout)
        return
    st.session_state["token"] = signed_in.token
    st.rerun()
