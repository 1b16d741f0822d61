"""Quality: acquisition checks and gates, measured on the images, each with its threshold."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How much an entry matters: an error makes the endpoints it concerns indeterminate."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class QualityEntry:
    """One check: its stable code, what was measured, and the protocol key that set the limit."""

    code: str
    severity: Severity
    message: str
    value: float | None = None
    threshold: float | None = None
    protocol_key: str | None = None
    endpoints: tuple[str, ...] = ()
    """Endpoints that an error makes indeterminate, by their names in the output contract."""
