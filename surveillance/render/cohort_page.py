"""Cohort page: the report for the safety board as a document."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from readers.agreement.report import Report as Agreement
from surveillance.cohort import Cohort
from surveillance.render.cohort_plot import lanes, spaghetti, waterfall
from surveillance.render.fonts import fonts_of
from surveillance.render.page import Document, Look, document
from surveillance.report import ENDPOINTS

LEVELS = ("green", "amber", "red", None)


def cohort_document(
    cohort: Cohort, due_days: Mapping[str, int], agreement: Agreement | None, look: Look
) -> Document:
    """Return the report in one language and paper size.

    `due_days` are the days of the scheduled visits, by name; `agreement` is None without reads.
    """
    fonts, words = fonts_of(look.language), look.words
    doses = sorted({member.allocation.dose_level for member in cohort.members})
    compared = any(member.worst_rise for member in cohort.members)
    return document(
        "cohort.html.j2",
        look,
        {
            "cohort": cohort,
            "doses": doses,
            "spaghetti": {a: spaghetti(m, doses, words, fonts) for a, m in cohort.arms},
            "waterfall": waterfall(cohort, words, fonts) if compared else None,
            "lanes": lanes(cohort, due_days, words, fonts),
            "latest": _latest(cohort),
            "levels": LEVELS,
            "agreement": agreement,
            "endpoints": ENDPOINTS,
        },
    )


def _latest(cohort: Cohort) -> dict[tuple[str, str], Counter[str | None]]:
    """Return how many subjects of each arm and dose level have which flag at their last visit."""
    found: dict[tuple[str, str], Counter[str | None]] = {}
    for member in cohort.members:
        key = (member.allocation.arm, member.allocation.dose_level)
        flag = member.rows[-1].flag if member.rows else None
        found.setdefault(key, Counter())[flag] += 1
    return found
