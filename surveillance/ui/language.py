"""Language: English or Simplified Chinese, as a cookie says, else as the browser prefers."""

from __future__ import annotations

from typing import Literal

import streamlit as st
from starlette.requests import HTTPConnection

Language = Literal["en", "zh"]
LANGUAGE_COOKIE = "graftsite_language"


def language_of(connection: HTTPConnection) -> Language:
    """Return the language of a request."""
    preferred = connection.headers.get("accept-language", "")
    return _known(connection.cookies.get(LANGUAGE_COOKIE), preferred)


def page_language() -> Language:
    """Return the language of the page whose script runs."""
    return _known(st.context.cookies.get(LANGUAGE_COOKIE), st.context.locale or "")


def _known(chosen: str | None, preferred: str) -> Language:
    if chosen in ("en", "zh"):
        return "zh" if chosen == "zh" else "en"
    return "zh" if preferred.lower().startswith("zh") else "en"
