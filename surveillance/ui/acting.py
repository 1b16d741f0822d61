"""Acting: what can go wrong on a page is said in its place and in its language."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps

import streamlit as st

from imaging.errors import GraftsiteError
from surveillance.ui.desk import Desk, still_here


@contextmanager
def told_plainly(desk: Desk) -> Iterator[None]:
    """Show our own errors where they happen; the rest of the page stays."""
    try:
        yield
    except GraftsiteError as error:
        st.error(error.told(desk.language))


def part(draw: Callable[[Desk, int], None]) -> Callable[[Desk, int], None]:
    """Make a part of a page that runs alone: for who is still signed in, its errors told."""

    @wraps(draw)
    def drawn(desk: Desk, number: int) -> None:
        if not still_here(desk):
            st.rerun()
        with told_plainly(desk):
            draw(desk, number)

    return st.fragment(drawn)


def act(desk: Desk, do: Callable[[], object]) -> None:
    """Do what a button says and run the page again; after an error nothing was changed."""
    with told_plainly(desk):
        do()
        st.rerun()
