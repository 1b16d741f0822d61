"""Vocabulary: a description keeps the words of MRI and of trial schedules, and loses all others.

PS3.15 calls it Clean Descriptors. Leaving out what is known to name the patient is not enough:
operators also write the names of relatives, referrers and wards.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from importlib.resources import files

_TOKEN = re.compile(r"[A-Za-z0-9]+")
_SEPARATORS = re.compile(r"[^A-Za-z0-9 +*/_.:|()-]")
_DATE = re.compile(r"(?<!\d)\d{1,4}[./ -]\d{1,2}[./ -]\d{1,4}(?!\d)")
_TIME_WORDS = frozenset(
    """
    BASELINE BASE LINE BL SCREENING SCREEN PRE POST TREATMENT PRETREATMENT POSTTREATMENT TRANSPLANT
    TRANSPLANTATION POSTTRANSPLANT POSTTRANSPLANTATION INITIAL VISIT V DAY DAYS D WEEK WEEKS WK WKS
    W MONTH MONTHS MON MTH MTHS MO MOS M YEAR YEARS YR YRS Y UNSCHEDULED UNS UNSCH EXTRA AD HOC
    FOLLOW UP FU FOLLOWUP END OF STUDY EOT EOS MRI
    """.split()  # noqa: SIM905  (60 words are easier to read as text)
)


@cache
def mri_words() -> frozenset[str]:
    """Return the words of `mri_words.txt`, in capitals."""
    text = files("surveillance.deidentification").joinpath("mri_words.txt").read_text("utf-8")
    lines = (line for line in text.splitlines() if not line.startswith("#"))
    return frozenset(word for line in lines for word in line.split())


@cache
def _with_digits(words: frozenset[str]) -> re.Pattern[str]:
    """Match words and short numbers run together: `T2TSE`, `3mm`, `ep2d`, `b1000`, `eT1W`.

    A number has at most three digits (b-values four), or a record's number would pass for one.
    """
    longest_first = sorted(words, key=len, reverse=True)
    number = r"(?<!\d)(?:B\d{1,4}|[A-Z]?\d{1,3})(?!\d)[A-Z]?"
    return re.compile(rf"[SE]?(?:{'|'.join(longest_first)}|{number})+")


def cleaned_description(text: str) -> str:
    """Return a description of an examination or a series without any word that is not MRI's.

    Numbers stay only within a word (`T2`, `b800`, `3mm`); dates, names and other languages go.
    Nothing of MRI in it gives the empty text.
    """
    return _kept(_DATE.sub(" ", text), lambda token: _is_of(token, mri_words()))


def cleaned_time_point(text: str) -> str:
    """Return the name of a time point: words of a schedule and numbers of up to three digits."""
    words = _TIME_WORDS

    def is_kept(token: str) -> bool:
        return len(token) <= 3 if token.isdigit() else _is_of(token, words)

    return _kept(_DATE.sub(" ", text), is_kept)


def _is_of(token: str, words: frozenset[str]) -> bool:
    upper = token.upper()
    if upper in words or (len(upper) == 1 and upper.isdigit()):
        return True
    has_both = any(map(str.isdigit, upper)) and not upper.isdigit()
    return has_both and _with_digits(words).fullmatch(upper) is not None


def _kept(text: str, is_kept: Callable[[str], bool]) -> str:
    """Leave out tokens; what stood between them stays, or `T1_W` would become `T1W`."""
    plain = _SEPARATORS.sub(" ", text)
    without = _TOKEN.sub(lambda match: match.group() if is_kept(match.group()) else " ", plain)
    return " ".join(without.split())
