"""Subject page: the report of a subject, or of one of its visits, as a document."""

from __future__ import annotations

from surveillance.render.fonts import fonts_of
from surveillance.render.key_images import colour_bar
from surveillance.render.page import Document, Look, document
from surveillance.render.trend_plot import trend_svg
from surveillance.report import ENDPOINTS, KeyImage, SubjectReport, deciding
from surveillance.trends import is_sure, largest_focus_mm

COLUMNS = 4
"""Key images side by side: the baseline and three visits."""
GATES = {"error": "failed", "warning": "warning", "info": "passed"}


def subject_document(report: SubjectReport, look: Look) -> Document:
    """Return the report in one language and paper size."""
    fonts, words = fonts_of(look.language), look.words
    plots = [(trend, trend_svg(trend, words, fonts)) for trend in report.trends]
    return document(
        "subject.html.j2",
        look,
        {
            "report": report,
            "record": report.record,
            "plots": plots,
            "levels": [(one, _strips(list(one.images))) for one in report.pictures.levels],
            "endpoints": ENDPOINTS,
            "deciding": deciding,
            "is_sure": is_sure,
            "largest_focus_mm": largest_focus_mm,
            "colour_bar": colour_bar(),
            "gates": GATES,
        },
    )  # fmt: skip


def _strips(images: list[KeyImage]) -> list[list[KeyImage]]:
    """Return rows of pictures that each begin with the baseline."""
    if len(images) <= COLUMNS:
        return [images] if images else []
    first, later = images[0], images[1:]
    size = COLUMNS - 1
    return [[first, *later[start : start + size]] for start in range(0, len(later), size)]
