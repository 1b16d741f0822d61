"""Acting: what can go wrong on a page is said in its place and in its language."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import wraps
from typing import Any

import streamlit as st

from imaging.errors import GraftsiteError
from readers.errors import StoreError
from surveillance.ui.desk import Desk, still_here
from surveillance.ui.form import form_message


@contextmanager
def told_plainly(desk: Desk) -> Iterator[None]:
    """Show our own errors where they happen; the rest of the page stays."""
    try:
        yield
    except GraftsiteError as error:
        st.error(error.told(desk.language))


def part(draw: Callable[[Desk, int], None]) -> Callable[[Desk, int], None]:
    """Make a part of a page that runs alone: for who is still signed in, its errors told.

    A store that is away cannot say who is; the part then shows what it has, and its errors.
    """

    @wraps(draw)
    def drawn(desk: Desk, number: int) -> None:
        with suppress(StoreError):
            if not still_here(desk):
                st.rerun()
        with told_plainly(desk):
            draw(desk, number)

    return st.fragment(drawn)


def heard(desk: Desk, key: str, kind: str, name: str) -> Mapping[str, Any] | None:
    """Return what a form in the browser sent, None for nothing of who is still signed in.

    A store that cannot be asked is told when the page is drawn; the form sends again.
    """
    message = form_message(key, kind, name)
    with suppress(StoreError):
        return message if message is not None and still_here(desk) else None
    return None


def act(desk: Desk, do: Callable[[], object]) -> None:
    """Do what a button says and run the page again; after an error nothing was changed."""
    with told_plainly(desk):
        do()
        st.rerun()
