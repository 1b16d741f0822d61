"""Scanner: whether two examinations come from one vendor at one field strength."""

from __future__ import annotations

from typing import Protocol


class Scanned(Protocol):
    """What knows where it was acquired; None is not stated."""

    @property
    def manufacturer(self) -> str | None:
        """Vendor, as the header has it."""

    @property
    def field_strength_t(self) -> float | None:
        """Nominal field strength."""


def scanner_differs(one: Scanned, other: Scanned) -> bool:
    """Return whether vendor or field strength are known to differ.

    What a header does not state counts as unchanged, `SIEMENS` and `Siemens Healthineers` are
    one vendor, and 2.89 T and 3 T one field strength.
    """
    vendors = {_vendor(s.manufacturer) for s in (one, other)} - {""}
    fields = {round(2 * s.field_strength_t) for s in (one, other) if s.field_strength_t}
    return len(vendors) > 1 or len(fields) > 1


def _vendor(manufacturer: str | None) -> str:
    """First word, lower case: the rest is the legal form of the year."""
    words = (manufacturer or "").lower().replace("_", " ").split()
    return words[0] if words else ""
