"""Collector: what stands in a record for each measurement, and why some are missing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from imaging.measurement import Measurement
from imaging.messages import text
from surveillance.exports import contract


@dataclass(slots=True)
class Collector:
    """Turns measurements into numbers and keeps, in order, why some are missing."""

    reasons: dict[str, str] = field(default_factory=dict)

    def number(self, name: str, measurement: Measurement | None) -> float | None:
        """Return a measurement's value; None without one, and the reason is kept."""
        if measurement is None:
            return None
        if measurement.reason is not None:
            self.reasons[name] = measurement.reason
        return measurement.value

    def note(self, name: str, reason: str | None) -> None:
        """Keep why what `name` stands for is missing, if there is a reason."""
        if reason is not None:
            self.reasons[name] = reason

    def entries(self) -> Iterator[contract.QualityBlock]:
        """Yield one entry per reason, naming all the numbers it explains."""
        names: dict[str, list[str]] = {}
        for name, reason in self.reasons.items():
            names.setdefault(reason, []).append(name)
        for reason, missing in names.items():
            message = text("record.not_measured", numbers=", ".join(missing), reason=reason)
            yield contract.QualityBlock(code="NOT_MEASURED", severity="info", message=message)
