"""Mounting: the one function between a page and the form in the browser."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import cache
from importlib.resources import files
from typing import Any

import streamlit as st


def mount_form(
    told: Mapping[str, Any],
    key: str,
    on_answers: Callable[[], None],
    on_finish: Callable[[], None],
) -> None:
    """Draw the form at this place of the page.

    Parameters
    ----------
    told
        See `contract.described`.
    on_answers, on_finish
        Called before the script runs again, so that it draws what came of it; they find what the
        browser sent by `form_message`.
    """
    st.components.v2.component("graftsite_form", js=_file("form.js"), css=_file("form.css"))(
        key=key, data=dict(told), on_answers_change=on_answers, on_finish_change=on_finish
    )


def form_message(key: str, kind: str, name: str) -> Mapping[str, Any] | None:
    """Return what the browser sent; None when it is of another form or no message of one."""
    message = getattr(st.session_state.get(key), kind, None)
    if not isinstance(message, Mapping) or message.get("read") != name:
        return None
    return message


def number_of(message: Mapping[str, Any]) -> int:
    """Return the number of a message, by which the form knows the reply; 0 for none."""
    number = message.get("n")
    return number if isinstance(number, int) else 0


def seconds_of(message: Mapping[str, Any]) -> float:
    """Return the time spent that a message tells, 0 for none that can be."""
    spent = message.get("spent_s")
    good = isinstance(spent, int | float) and math.isfinite(spent) and 0 <= spent <= 3600
    return float(spent) if good and spent is not None else 0.0


@cache
def _file(name: str) -> str:
    return files("surveillance.ui.form").joinpath(name).read_text("utf-8")
