"""Status: the three words of an endpoint, for the machine's findings and for people's reads."""

from __future__ import annotations

from enum import StrEnum


class Status(StrEnum):
    """What a finding says; indeterminate is an answer, not an error."""

    FAVORABLE = "favorable"
    ADVERSE = "adverse"
    INDETERMINATE = "indeterminate"
