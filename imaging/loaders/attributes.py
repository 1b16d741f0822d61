"""Attributes: reading one DICOM attribute without trusting it.

A header from outside may hold anything: text where a number belongs, a value too long, bytes
that no character set explains. Each function gives the value in one plain type, or None.
"""

from __future__ import annotations

import math
from datetime import date
from functools import lru_cache
from typing import Any

from pydicom import Dataset
from pydicom.multival import MultiValue
from pydicom.sequence import Sequence
from pydicom.tag import Tag

Key = str | tuple[int, int]

TEXT_MAX = 256
"""Longer texts are cut: the longest DICOM text we show (LO) has 64 characters."""


_tag = lru_cache(maxsize=None)(Tag)  # keys are those written in our code: a few dozen


def value(ds: Dataset, key: Key) -> Any:
    """Return the attribute's value, None when absent, empty or not decodable."""
    try:
        tag = _tag(key)
        # Most attributes asked for are absent; `in ds` would make a tag of the tag.
        found = ds[tag].value if tag in ds.keys() else None  # noqa: SIM118
    except Exception:  # noqa: BLE001  (pydicom decodes here and raises whatever the bytes provoke)
        return None
    return None if found is None or found == "" else found


def number(ds: Dataset, key: Key) -> float | None:
    """Return a finite number, the first one of several, else None."""
    found = numbers(ds, key)
    return found[0] if found else None


def integer(ds: Dataset, key: Key) -> int | None:
    """Return a whole number, else None."""
    found = number(ds, key)
    return int(found) if found is not None and found == int(found) else None


def numbers(ds: Dataset, key: Key, count: int | None = None) -> tuple[float, ...] | None:
    """Return all values as finite numbers; None when one is not, or their count is another."""
    found = value(ds, key)
    if found is None:
        return None
    items = found if isinstance(found, (list, tuple, MultiValue)) else [found]
    try:
        plain = tuple(float(item) for item in items)
    except (TypeError, ValueError, OverflowError):
        return None
    right = plain and all(map(math.isfinite, plain)) and count in (None, len(plain))
    return plain if right else None


def word(ds: Dataset, key: Key) -> str | None:
    """Return a text, stripped and cut to a sane length; None when absent or empty."""
    found = words(ds, key)
    return "\\".join(found)[:TEXT_MAX] if found else None


def words(ds: Dataset, key: Key) -> tuple[str, ...]:
    """Return all values as stripped texts, empty ones left out; a sequence is no text."""
    found = value(ds, key)
    if found is None or isinstance(found, (Sequence, Dataset)):
        return ()
    items = found if isinstance(found, (list, tuple, MultiValue)) else [found]
    texts = (str(item).replace("\0", " ").strip() for item in items if item is not None)
    return tuple(printable(text[:TEXT_MAX]) for text in texts if text)


def printable(text: str) -> str:
    """Replace control characters, which could rewrite a terminal or a CSV file."""
    return "".join(c if c.isprintable() else "�" for c in text)


def day(ds: Dataset, key: Key) -> date | None:
    """Return a calendar date written YYYYMMDD, else None."""
    found = word(ds, key) or ""
    digits = found.replace("-", "").replace(".", "")[:8]
    try:
        return date(int(digits[:4]), int(digits[4:6]), int(digits[6:8]))
    except ValueError:
        return None


def items(ds: Dataset, key: Key) -> list[Dataset]:
    """Return the items of a sequence, none when it is absent or broken."""
    found = value(ds, key)
    try:
        return [item for item in found if isinstance(item, Dataset)] if found is not None else []
    except Exception:  # noqa: BLE001  (items decode lazily, as above)
        return []
