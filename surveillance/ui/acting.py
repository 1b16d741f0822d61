"""Acting: do what a button says; show why it could not be done, or draw the page anew."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from imaging.errors import GraftsiteError
from surveillance.ui.desk import Desk


def act(desk: Desk, do: Callable[[], object]) -> None:
    """Do it and run the page again; an error is shown and nothing was changed."""
    try:
        do()
    except GraftsiteError as error:
        st.error(error.told(desk.language))
    else:
        st.rerun()
