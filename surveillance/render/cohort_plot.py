"""Cohort plots: spaghetti of volume by arm, waterfall of rise above the nadir, lanes of visits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from surveillance.cohort import Cohort, Member, Row
from surveillance.render.fonts import Fonts
from surveillance.render.plot import BLUE, DASHES, GREEN, GREY, INK, MARKERS, ORANGE, plot
from surveillance.render.wording import Wording, legible

WIDTH_MM = 180.0
FLAGS = {"green": ("o", "white"), "amber": ("^", "#ffd37a"), "red": ("s", "#7a1f00"),
         None: ("d", "white")}  # fmt: skip
_BARS = {"green": ("white", ""), "amber": ("#ffd37a", "///"), "red": ("#7a1f00", ""),
         None: ("white", "...")}  # fmt: skip
_COLOURS = (INK, BLUE, ORANGE, GREEN, GREY)


def spaghetti(
    members: Sequence[Member], doses: Sequence[str], words: Wording, fonts: Fonts
) -> bytes:
    """Return graft volume over time of one arm; the dash tells the dose level."""
    with plot(WIDTH_MM / 2, 62.0, fonts) as made:
        axes = made.axes
        for number, member in enumerate(members):
            known = _volumes(member)
            dash = DASHES[doses.index(member.allocation.dose_level) % len(DASHES)]
            axes.plot(
                [day for day, _, _ in known], [ml for _, ml, _ in known], dash,
                color=_COLOURS[number % len(_COLOURS)], marker=MARKERS[number % len(MARKERS)],
                markersize=4, linewidth=1.1, label=legible(member.subject)[:16],
            )  # fmt: skip
            unsure = [(day, ml) for day, ml, sure in known if not sure]
            axes.plot(
                [day for day, _ in unsure], [ml for _, ml in unsure], "o",
                markersize=9, color=INK, markerfacecolor="none",
            )  # fmt: skip
        axes.set_ylim(bottom=0)
        axes.set_xlabel(words.say("report.axis_days"), fontsize=7)
        axes.set_ylabel("mL")
        axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))
        return made.svg()


def _volumes(member: Member) -> list[tuple[int, float, bool]]:
    """Return day, volume in mL, and whether it is sure, of the visits that have both."""
    return [
        (row.days_since_baseline, row.volume_ml, row.sure)
        for row in member.rows
        if row.days_since_baseline is not None and row.volume_ml is not None
    ]


def waterfall(cohort: Cohort, words: Wording, fonts: Fonts) -> bytes:
    """Return each subject's largest rise of volume above the nadir, worst first.

    The bar's filling is the flag of that visit; the whisker the range in which a volume repeats.
    """
    worst = [row for member in cohort.members if (row := member.worst_rise) is not None]
    worst.sort(key=lambda r: (-(r.volume_change_from_nadir_percent or 0.0), r.subject))
    with plot(WIDTH_MM, 70.0, fonts) as made:
        axes = made.axes
        for x, row in enumerate(worst):
            colour, hatch = _BARS[row.flag]
            axes.bar([x], [row.volume_change_from_nadir_percent or 0.0], color=colour, hatch=hatch,
                     edgecolor=INK, linewidth=0.8, width=0.7)  # fmt: skip
            low, high = row.nadir_repeatability_low_percent, row.nadir_repeatability_high_percent
            if low is not None and high is not None:
                axes.plot([x, x], [low, high], color=GREY, linewidth=1.0, marker="_", markersize=7)
        axes.axhline(0, color=INK, linewidth=0.8)
        names = [f"{legible(r.subject)[:10]}\n{r.label[:6]}{'' if r.sure else ' ?'}" for r in worst]
        axes.set_xticks(range(len(worst)), names, fontsize=6.5)
        axes.set_ylabel(words.say("report.axis_nadir"))
        bars = [Patch(facecolor=c, hatch=h, edgecolor=INK, label=_flag(f, words))
                for f, (c, h) in _BARS.items()]  # fmt: skip
        whisker = Line2D([], [], color=GREY, marker="_", label=words.say("report.repeats"))
        axes.legend(handles=[*bars, whisker], loc="upper right")
        return made.svg()


def lanes(cohort: Cohort, due_days: Mapping[str, int], words: Wording, fonts: Fonts) -> bytes:
    """Return one lane a subject: visits by day and flag, missing ones crossed on their due day."""
    count = len(cohort.members)
    with plot(WIDTH_MM, 24.0 + 6.5 * count, fonts) as made:
        axes = made.axes
        for number, member in enumerate(cohort.members):
            y = count - 1 - number
            days = [day for row in member.rows if (day := _day(row)) is not None]
            if days:
                axes.plot([min(days), max(days)], [y, y], color=GREY, linewidth=0.8, zorder=1)
            for row in member.rows:
                _visit(axes, row, y)
            for name in member.missing:
                axes.plot([due_days[name]], [y], "x", color=INK, markersize=6)
        axes.set_yticks(
            range(count - 1, -1, -1),
            [f"{legible(m.subject)[:16]} · {words.arm(m.allocation.arm)}" for m in cohort.members],
            fontsize=7,
        )
        axes.set_ylim(-0.7, count - 0.3)
        axes.set_xlabel(words.say("report.axis_days"), fontsize=7)
        signs = [Line2D([], [], linestyle="", marker=m, color=INK, markerfacecolor=c,
                        label=_flag(f, words))
                 for f, (m, c) in FLAGS.items()]  # fmt: skip
        missed = Line2D([], [], linestyle="", marker="x", color=INK,
                        label=words.say("report.missed"))  # fmt: skip
        axes.legend(handles=[*signs, missed], loc="upper center", ncols=5,
                    bbox_to_anchor=(0.5, 1.0 + 12.0 / (24.0 + 6.5 * count)))  # fmt: skip
        return made.svg()


def _visit(axes: Axes, row: Row, y: int) -> None:
    day, (marker, colour) = _day(row), FLAGS[row.flag]
    if day is not None:
        axes.plot([day], [y], marker, color=INK, markerfacecolor=colour, markersize=7, zorder=2)


def _flag(level: str | None, words: Wording) -> str:
    return words.say(f"report.flag_{level or 'none'}")


def _day(row: Row) -> int | None:
    return row.days_since_baseline
