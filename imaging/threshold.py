"""Threshold: one entry of a protocol, the kinds of numbers it may hold, and strict sections."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from imaging.errors import ProtocolError

Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Fraction = Annotated[float, Field(gt=0, le=1)]
Count = Annotated[int, Field(ge=1)]


class Section(BaseModel):
    """One table of a protocol file: frozen, and with exactly the keys it names."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


def values_of(file: str, section: str, entries: Any) -> Any:
    """Return a section with each entry's value in the entry's place; no section as it is.

    Raises
    ------
    ProtocolError
        An entry has not exactly a value, a unit, a source and a rationale.
    """
    if not isinstance(entries, dict):
        return entries
    return {name: _value(file, f"{section}.{name}", entry) for name, entry in entries.items()}


def _value(file: str, key: str, entry: Any) -> Any:
    if not isinstance(entry, dict) or set(entry) != {"value", "unit", "source", "rationale"}:
        raise ProtocolError("protocol_entry", file=file, key=key)
    return entry["value"]
