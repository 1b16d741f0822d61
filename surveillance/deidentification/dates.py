"""Dates: moved by whole days, so that intervals and times of day stay (option Modified Dates)."""

from __future__ import annotations

import re
from datetime import date, timedelta

_DATE = re.compile(r"(\d{4})[.-]?(\d{2})[.-]?(\d{2})")
_DATE_TIME = re.compile(r"(\d{8})(\d{0,6}(?:\.\d{1,6})?)(?:[+-]\d{4})?")
_TIME = re.compile(r"\d{2}(?:\d{2}(?:\d{2}(?:\.\d{1,6})?)?)?")


def shifted_date(text: str, days: int) -> str:
    """Return a DA moved into the past; empty when it is no date."""
    match = _DATE.fullmatch(text.strip())
    try:
        moved = date(*map(int, match.groups())) - timedelta(days) if match else None
    except (ValueError, OverflowError):
        return ""
    return f"{moved:%Y%m%d}".zfill(8) if moved else ""


def shifted_date_time(text: str, days: int) -> str:
    """Return a DT moved into the past, without its time zone, which tells the place."""
    match = _DATE_TIME.fullmatch(text.strip())
    if not match:
        return ""
    moved = shifted_date(match.group(1), days)
    return moved + match.group(2) if moved else ""


def plain_time(text: str) -> str:
    """Return a TM as it is; empty when it is no time."""
    found = text.strip().replace(":", "")
    return found if _TIME.fullmatch(found) else ""
