"""Regions: what is looked at again and again, and the link identifiers of all that is seen."""

from __future__ import annotations

from collections.abc import Iterator

from surveillance.exports.cdisc.observation import Evaluator, Observation, When

_REGIONS = {
    "GRAFT": ("GRAFT", "LEFT"),
    "LEFT": ("RECTUS-L", "LEFT"),
    "RIGHT": ("RECTUS-R", "RIGHT"),
}
MUSCLE = "RECTUS ABDOMINIS MUSCLE"


def region_place(by: Evaluator, region: str) -> str:
    """Return the link of a region: one for all visits, another for each evaluator."""
    return f"{by.mark}-{_REGIONS[region][0]}"


def lesion_place(by: Evaluator, when: When, kind: str, number: int) -> str:
    """Return the link of a focus or node: of this visit alone, nobody follows it."""
    return f"{by.mark}-{when.label}-{kind}{number}"


def identified(
    subject: str,
    when: When,
    by: Evaluator,
    reference: str,
    regions: tuple[str, ...] = tuple(_REGIONS),
) -> Iterator[Observation]:
    """Yield the identification of the regions, once for each evaluator.

    The graft is a location of interest whether it is seen or not: it was placed there. Whether
    it is seen is a result of each visit.
    """
    for region in regions:
        yield Observation(
            "TU", subject, when, by, "TUMIDENT", "Tumor Identification", "LOCATION OF INTEREST",
            link=region_place(by, region),
            reference=reference,
            location=(MUSCLE, _REGIONS[region][1]),
        )  # fmt: skip
