"""Demanded: the answers that the truth demands, where it lies clear of every limit.

A true value that sits on a limit has no right answer: what would change if it were a little
larger or smaller may not be demanded of any reader, and is `indeterminate`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from imaging.protocol import Protocol
from imaging.simulation.expected import INDETERMINATE, Fact, expected_findings
from imaging.simulation.truth import NoduleTruth

_VOLUME, _RATIO, _DIAMETER_MM, _BULGE_MM = 0.07, 0.08, 1.0, 0.5
"""How far from a limit a true value must lie, relative and in mm."""


def demanded_answers(facts: Sequence[Fact], protocol: Protocol) -> list[dict[str, str]]:
    """Return each visit's status by endpoint; the first visit is the baseline."""
    plain = expected_findings(facts, protocol)
    return [_agreed(facts, number, answer, protocol) for number, answer in enumerate(plain)]


def _agreed(
    facts: Sequence[Fact], number: int, answer: dict[str, str], protocol: Protocol
) -> dict[str, str]:
    nudged = [
        expected_findings([*facts[:number], _nudged(facts[number], sign)], protocol)[number]
        for sign in (-1.0, 1.0)
    ]
    return {
        endpoint: status if all(n[endpoint] == status for n in nudged) else INDETERMINATE
        for endpoint, status in answer.items()
    }


def _nudged(fact: Fact, sign: float) -> Fact:
    plan, truth = fact
    more = replace(
        truth,
        volume_ml=truth.volume_ml * (1 + sign * _VOLUME),
        bulge_mm=truth.bulge_mm + sign * _BULGE_MM,
        nodules=tuple(_nudged_nodule(n, sign) for n in truth.nodules),
    )
    return plan, more


def _nudged_nodule(found: NoduleTruth, sign: float) -> NoduleTruth:
    longer = found.nodule.diameter_mm + sign * _DIAMETER_MM
    return replace(
        found,
        nodule=replace(found.nodule, diameter_mm=longer),
        t2_ratio=found.t2_ratio * (1 + sign * _RATIO),
    )
