"""Trend plots: one measure over the visits, with interval, bands and what was not measured."""

from __future__ import annotations

from typing import Any

from matplotlib.axes import Axes

from surveillance.render.fonts import Fonts
from surveillance.render.plot import BLUE, GREY, INK, ORANGE, plot
from surveillance.render.wording import Wording
from surveillance.trends import Band, Point, Trend

WIDTH_MM, HEIGHT_MM = 88.0, 58.0
_BANDS: dict[str, dict[str, Any]] = {
    "baseline": {"facecolor": "#cfe3f1", "edgecolor": BLUE, "linewidth": 0.6},
    "nadir": {"facecolor": "none", "edgecolor": ORANGE, "hatch": "////", "linewidth": 0.8},
    "isointense": {"facecolor": "#dcdcdc", "edgecolor": GREY, "linewidth": 0.6},
}
_LEAST_TOP = {"volume_ml": 1.0, "t2_ratio": 1.5, "t1_ratio": 1.5, "focus_mm": 10.0}
"""Axes reach at least here, so that small numbers look small."""
_LONELY_DAYS = 6.0
"""Half width of a band that belongs to one visit only."""


def trend_svg(trend: Trend, words: Wording, fonts: Fonts) -> bytes:
    """Return one plot."""
    with plot(WIDTH_MM, HEIGHT_MM, fonts) as made:
        axes = made.axes
        for band in trend.bands:
            _band(axes, band, words)
        known = [(p.days, p.value) for p in trend.points if p.value is not None]
        axes.plot([d for d, _ in known], [v for _, v in known], color=INK, linewidth=1.2)
        for point in trend.points:
            _point(axes, point)
        _axes(axes, trend, words)
        _legend(axes, trend, words)
        return made.svg()


def _band(axes: Axes, band: Band, words: Wording) -> None:
    edges = band.edges
    if len({day for day, _, _ in edges}) == 1:
        day, low, high = edges[0]
        edges = ((day - _LONELY_DAYS, low, high), (day + _LONELY_DAYS, low, high))
    days, lows, highs = zip(*edges, strict=True)
    label = words.say(f"report.band_{band.name}")
    axes.fill_between(days, lows, highs, label=label, **_BANDS[band.name])


def _point(axes: Axes, point: Point) -> None:
    if point.value is None:
        return
    if point.ci95 is not None:
        axes.plot([point.days] * 2, point.ci95, color=INK, linewidth=1.0)
        axes.plot([point.days] * 2, point.ci95, "_", color=INK, markersize=6)
    face = INK if point.sure else "white"
    axes.plot([point.days], [point.value], "o", color=INK, markerfacecolor=face, markersize=5)


def _axes(axes: Axes, trend: Trend, words: Wording) -> None:
    axes.set_title(words.say(f"report.trend_{trend.name}"), fontsize=9, loc="left", color=INK)
    last = max((p.days for p in trend.points), default=0.0)
    margin = max(last * 0.06, 0.5 if not trend.dated else 8.0)
    axes.set_xlim(-margin, last + margin)
    tops = [p.ci95[1] if p.ci95 else p.value for p in trend.points if p.value is not None]
    tops += [high for band in trend.bands for _, _, high in band.edges]
    axes.set_ylim(0, max([*tops, _LEAST_TOP[trend.name]]) * 1.12)
    axes.set_xticks(
        [p.days for p in trend.points], [_tick(p, trend) for p in trend.points], fontsize=7
    )
    for point in trend.points:
        if point.value is None:
            axes.annotate(
                words.say("report.not_measured"), (point.days, 0), (0, 3),
                textcoords="offset points", rotation=90, ha="center", va="bottom",
                fontsize=6.5, color=INK,
            )  # fmt: skip
    if trend.dated:
        axes.set_xlabel(words.say("report.axis_days"), fontsize=7)
    axes.set_ylabel(words.say(f"report.unit_{trend.name}"))


def _tick(point: Point, trend: Trend) -> str:
    short = "BL" if point.visit == "BASELINE" else point.visit.replace("UNSCHEDULED", "U")[:8]
    return f"{short}\n{point.days:.0f}" if trend.dated else short


def _legend(axes: Axes, trend: Trend, words: Wording) -> None:
    if any(not point.sure and point.value is not None for point in trend.points):
        axes.plot([], [], "o", color=INK, markerfacecolor="white", markersize=5,
                  label=words.say("report.unsure"))  # fmt: skip
    if axes.get_legend_handles_labels()[0]:
        axes.legend(loc="best", handlelength=1.6)
