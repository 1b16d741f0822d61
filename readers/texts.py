"""Texts: what people type, kept exactly as typed, within limits, in every database."""

from __future__ import annotations

from readers.errors import ReasonError

REASON_CHARS_MAX = 2000


def storable(text: str) -> bool:
    """Whether every database can hold a text: no NUL, no half of a character pair."""
    return "\0" not in text and not any("\ud800" <= character <= "\udfff" for character in text)


def checked_reason(reason: str) -> str:
    """Return a reason that says something.

    Raises
    ------
    ReasonError
        It is blank, longer than its limit, or cannot be stored.
    """
    if not reason.strip() or len(reason) > REASON_CHARS_MAX or not storable(reason):
        raise ReasonError("reason_needed", most=REASON_CHARS_MAX)
    return reason
