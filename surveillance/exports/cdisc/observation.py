"""Observation: one SDTM record before it has a row: who saw what, where, at which visit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Evaluator:
    """Who evaluated; `mark` begins the link identifiers. Never a person's name."""

    mark: str
    role: str
    identifier: str
    vendor: str = ""


@dataclass(frozen=True, slots=True)
class When:
    """A visit: number and label, and the day the images were made; '' when that is unknown."""

    number: float
    label: str
    day: str

    @property
    def is_baseline(self) -> bool:
        """Whether it is the baseline."""
        return self.label == "BASELINE"


@dataclass(frozen=True, slots=True)
class Observation:
    """One record of a domain.

    Parameters
    ----------
    value
        A number, an answer in words, or None: then `reason` says why.
    link
        LNKID, empty in RS.
    extras
        Qualifiers by name: what becomes a record of SUPP--.
    """

    domain: str
    subject: str
    when: When
    by: Evaluator
    code: str
    test: str
    value: float | str | None
    link: str = ""
    unit: str = ""
    reason: str = ""
    reference: str = ""
    location: tuple[str, str] = ("", "")
    accepted: bool = False
    extras: Mapping[str, str] = field(default_factory=dict)


def plain_number(value: float) -> str:
    """Return nine significant digits, as assessment.json has them, without an exponent."""
    # Adding 0 turns a negative zero into zero.
    return format(Decimal(f"{value:.9g}") + 0, "f")
