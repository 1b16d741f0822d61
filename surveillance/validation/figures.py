"""Figures: what the tables cannot show, as SVG text for a page that stands alone."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import partial
from io import StringIO

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from imaging.messages import text
from surveillance.validation.confidence import QUESTIONS
from surveillance.validation.row import Row
from surveillance.validation.summary import Section, Summary

# Okabe and Ito's colours, told apart by colour-blind readers.
_COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00")
_STYLE = {"svg.hashsalt": "graftsite", "font.size": 9, "axes.grid": True, "grid.alpha": 0.3}


def figures(summary: Summary, rows: Sequence[Row]) -> dict[str, str]:
    """Return each figure's SVG by name."""
    return {
        "figure_dice": _svg(lambda axes: _dice(axes, summary.sections)),
        "figure_volume": _svg(lambda axes: _volume(axes, rows)),
        "figure_froc": _svg(lambda axes: _froc(axes, summary.sections)),
        "figure_risk": _svg(lambda axes: _risk(axes, summary.sections)),
        **{
            f"figure_answered_{name}": _svg(partial(_answered, sections=summary.sections, of=name))
            for name in QUESTIONS
        },
        "figure_reliability": _svg(lambda axes: _reliability(axes, summary.sections)),
        "figure_landmarks": _svg(lambda axes: _landmarks(axes, summary.sections)),
    }


def _svg(draw: Callable[[Axes], None]) -> str:
    with mpl.rc_context(_STYLE):  # type: ignore[arg-type]
        figure = Figure(figsize=(5.4, 3.4), layout="constrained")
        axes = figure.add_subplot()
        draw(axes)
        if axes.get_legend_handles_labels()[0]:
            axes.legend(fontsize=8)
        out = StringIO()
        figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None})
    # Without the XML head the drawing can stand inside a page.
    return re.sub(r"^.*?(?=<svg)", "", out.getvalue(), flags=re.DOTALL)


def _name(section: Section) -> str:
    return text("validation.column", kind=section.kind, variant=section.variant)


def _dice(axes: Axes, sections: Sequence[Section]) -> None:
    for section, colour in zip(sections, _COLOURS, strict=False):
        if section.dice:
            share = [n / len(section.dice) for n in range(1, len(section.dice) + 1)]
            axes.step(section.dice, share, where="post", color=colour, label=_name(section))
    axes.set(xlim=(0, 1), ylim=(0, 1))
    axes.set(xlabel=text("validation.axis_dice"), ylabel=text("validation.axis_share"))


def _volume(axes: Axes, rows: Sequence[Row]) -> None:
    groups = dict.fromkeys((row.kind, row.variant) for row in rows)
    for (kind, variant), colour in zip(groups, _COLOURS, strict=False):
        here = [r.volume_ml for r in rows if (r.kind, r.variant) == (kind, variant)]
        pairs = [(v.true, 100 * (v.said / v.true - 1)) for v in here if v.true and v.said]
        if pairs:
            label = text("validation.column", kind=kind, variant=variant)
            true, error = zip(*pairs, strict=True)
            axes.scatter(true, error, s=9, alpha=0.6, color=colour, label=label)
    axes.axhline(0, color="black", linewidth=0.8)
    axes.set(xscale="log", ylim=(-100, 200))
    axes.set(xlabel=text("validation.axis_volume"), ylabel=text("validation.axis_volume_error"))


def _froc(axes: Axes, sections: Sequence[Section]) -> None:
    for section, colour in zip(sections, _COLOURS, strict=False):
        if section.froc:
            false, sensitivity = zip(*section.froc, strict=True)
            axes.step(false, sensitivity, where="post", color=colour, label=_name(section))
    axes.axvline(0.1, color="black", linewidth=0.8, linestyle=":")
    axes.set(xlim=(0, 2), ylim=(0, 1))
    axes.set(xlabel=text("validation.axis_false"), ylabel=text("validation.axis_sensitivity"))


def _risk(axes: Axes, sections: Sequence[Section]) -> None:
    for section, colour in zip(sections, _COLOURS, strict=False):
        if section.risk:
            share, loss = zip(*section.risk, strict=True)
            axes.step(
                share, loss, "o-", where="pre", markersize=3, color=colour, label=_name(section)
            )
    axes.set(xlim=(0, 1), ylim=(0, 1))
    axes.set(xlabel=text("validation.axis_coverage"), ylabel=text("validation.axis_risk"))


def _answered(axes: Axes, sections: Sequence[Section], of: str) -> None:
    for section, colour in zip(sections, _COLOURS, strict=False):
        kept = section.risk_by_threshold[of]
        drawn = [(k.coverage, k.risk) for k in kept if k.coverage is not None]
        if any(risk is not None for _, risk in drawn):
            share, wrong = zip(*(d for d in drawn if d[1] is not None), strict=True)
            axes.plot(share, wrong, "o-", markersize=3, color=colour, label=_name(section))
    axes.set(xlim=(0, 1.02), ylim=(-0.02, 1))
    axes.set(xlabel=text("validation.axis_answered"), ylabel=text("validation.axis_wrong"))


def _reliability(axes: Axes, sections: Sequence[Section]) -> None:
    axes.plot((0, 1), (0, 1), color="black", linewidth=0.8, linestyle=":")
    for section, colour in zip(sections, _COLOURS, strict=False):
        if section.reliability:
            pairs = [(b.confidence, b.right / b.count) for b in section.reliability]
            sure, right = zip(*pairs, strict=True)
            axes.plot(sure, right, "o-", markersize=3, color=colour, label=_name(section))
    axes.set(xlim=(0, 1.02), ylim=(-0.02, 1.02))
    axes.set(xlabel=text("validation.axis_confidence"), ylabel=text("validation.axis_right"))


def _landmarks(axes: Axes, sections: Sequence[Section]) -> None:
    for section, colour in zip(sections, _COLOURS, strict=False):
        if section.landmarks_mm:
            count = len(section.landmarks_mm)
            share = [n / count for n in range(1, count + 1)]
            axes.step(section.landmarks_mm, share, where="post", color=colour, label=_name(section))
    axes.set(xlim=(0, None), ylim=(0, 1))
    axes.set(xlabel=text("validation.axis_landmark"), ylabel=text("validation.axis_share"))
