"""Plot: matplotlib as SVG; the same values give the same bytes.

Letters are drawn as outlines, so that a plot needs no font where it is shown; its words stand
in the text and the table beside it for those who search or listen.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from surveillance.render.fonts import Fonts

BLUE, ORANGE, GREEN, INK, GREY = "#0072b2", "#d55e00", "#009e73", "#1a1a1a", "#6b6b6b"
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*", "<", ">")
"""Lines are told apart by these and by their dashes, not by colour alone."""
DASHES = ("-", "--", ":", "-.")
_MM_PER_INCH = 25.4


@contextmanager
def plot(width_mm: float, height_mm: float, fonts: Fonts) -> Iterator[Plot]:
    """Give empty axes to draw on."""
    settings: dict[Any, Any] = {
        "svg.hashsalt": "graftsite",
        "svg.fonttype": "path",
        "font.family": list(fonts.plot_families),
        "font.size": 8,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.edgecolor": GREY,
        "axes.labelcolor": INK,
        "axes.unicode_minus": False,
        "xtick.color": INK,
        "ytick.color": INK,
        "hatch.linewidth": 0.5,
        "legend.frameon": False,
        "legend.fontsize": 7,
    }
    with mpl.rc_context(settings):
        figure = Figure((width_mm / _MM_PER_INCH, height_mm / _MM_PER_INCH), layout="constrained")
        yield Plot(figure)


class Plot:
    """One figure with one pair of axes."""

    def __init__(self, figure: Figure) -> None:
        """Add the axes."""
        self._figure = figure
        self.axes: Axes = figure.add_subplot()

    def svg(self) -> bytes:
        """Return the picture."""
        held = io.BytesIO()
        self._figure.savefig(
            held, format="svg", metadata={"Date": None, "Creator": None, "Format": None}
        )
        return held.getvalue()
