"""The tables of docs/performance.md, between its markers, from what was measured."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

PAGE = Path(__file__).parents[1] / "docs" / "performance.md"
Line = dict[str, Any]


def write(results: dict[str, Any]) -> None:
    """Put the newest tables into the page; a marker of nothing measured stays as it is."""
    PAGE.write_text(filled(PAGE.read_text(encoding="utf-8"), results), encoding="utf-8")


def filled(text: str, results: dict[str, Any]) -> str:
    """Return the text with the tables of `results` between `<!-- NAME -->` and `<!-- / -->`."""

    def table(found: re.Match[str]) -> str:
        name = found[1]
        if name not in results:
            return found[0]
        body = _TABLES[name](results[name]["figures"])
        return f"<!-- {name} -->\n{_caption(results[name])}\n\n{body}\n<!-- / -->"

    return re.sub(r"<!-- (\w+) -->\n.*?<!-- / -->", table, text, flags=re.DOTALL)


def _caption(result: Line) -> str:
    load = "" if result["load"] is None else f", load {result['load']:.1f} when it began"
    return f"{result['date']}, commit {result['commit']}, {result['machine']}{load}."


def _rows(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    cells = [list(head)]
    cells.append(["---"] * len(cells[0]))
    cells += [list(row) for row in rows]
    return "\n".join(f"| {' | '.join(row)} |" for row in cells)


def _read_series(figures: dict[str, list[Line]]) -> str:
    head = ["series", *(line["name"] for line in next(iter(figures.values())))]
    rows = ([case, *(_share(line) for line in lines)] for case, lines in figures.items())
    return _rows(head, rows) + "\n\n" + _equality(figures) + _missing(figures)


def _share(line: Line) -> str:
    if "missing" in line:
        return "missing"
    own = line["times_ours"] == 1
    return f"{1000 * line['wall_s']:.0f} ms" if own else f"{line['times_ours']:.2f} ×"


def _equality(figures: dict[str, list[Line]]) -> str:
    off = [line.get("largest_difference", 0.0) for lines in figures.values() for line in lines]
    return (
        "Sum and sum of squares of the voxels, and the spacing, differ by at most "
        f"{max(off):.1g} (relative) from ours."
    )


def _missing(figures: dict[str, list[Line]]) -> str:
    seen = {
        line["name"]: line["missing"]
        for lines in figures.values()
        for line in lines
        if "missing" in line
    }
    return "".join(f"\n\nMissing: {name}: {reason}" for name, reason in seen.items())


def _compared(figures: dict[str, list[Line]]) -> str:
    return "\n\n".join(f"**{case}**\n\n{_contest(lines)}" for case, lines in figures.items())


def _contest(lines: list[Line]) -> str:
    names = list(next((line["values"] for line in lines if "values" in line), {}))
    few = names if len(names) < 5 else []
    head = ["", "times ours", "wall", "CPU", "largest difference to ours", *few]
    return _rows(head, (_competitor(line, few) for line in lines))


def _competitor(line: Line, names: list[str]) -> list[str]:
    if "missing" in line:
        return [line["name"], "missing", _short(line["missing"]), *[""] * (2 + len(names))]
    values = [f"{line['values'][name]:.3f}" if name in line["values"] else "" for name in names]
    if "times_ours" not in line:
        return [line["name"], *[""] * 4, *values]
    return [*_times(line), f"{line['largest_difference']:.1g}", *values]


def _times(line: Line) -> list[str]:
    name = f"{line['name']} {' '.join(line['versions'].values())}".strip()
    return [name, f"{line['times_ours']:.2f}", _time(line["wall_s"]), _time(line["cpu_s"])]


def _time(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds >= 1 else f"{1000 * seconds:.0f} ms"


def _short(reason: str) -> str:
    return " ".join(reason.replace("|", "/").split())[:160]


def _register_wall(figures: dict[str, list[Line]]) -> str:
    return "\n\n".join(f"**{case}**\n\n{_landmarks(lines)}" for case, lines in figures.items())


def _landmarks(lines: list[Line]) -> str:
    before = next(line["unregistered_mean_mm"] for line in lines if "error_mean_mm" in line)
    head = ["", "times ours", "wall", "CPU", "landmark error, mean", "95 %", "front to back, mean",
            "same bits every round"]  # fmt: skip
    return f"Before: {before:.2f} mm.\n\n" + _rows(head, map(_landmark, lines))


def _landmark(line: Line) -> list[str]:
    if "missing" in line:
        return [line["name"], "missing", _short(line["missing"]), *[""] * 5]
    keys = ("error_mean_mm", "error_95_mm", "front_back_mean_mm")
    errors = [f"{line[key]:.2f} mm" for key in keys]
    same = {None: "one round", True: "yes", False: "no"}[line["same_bits"]]
    return [*_times(line), *errors, same]


def _memory(figures: dict[str, Line]) -> str:
    head = ["against", "measured", "per one more", "at none", "largest distance from the line"]
    return _rows(head, (_fit(name, fit) for name, fit in figures.items()))


def _fit(name: str, fit: Line) -> list[str]:
    peaks = (f"{key.rpartition('_')[2]}: {mb:.0f} MB" for key, mb in fit.items() if "peak" in key)
    numbers = (fit["slope_mb"], fit["intercept_mb"], fit["residual_mb"])
    return [name, ", ".join(peaks), *(f"{mb:.1f} MB" for mb in numbers)]


def _figures(figures: dict[str, float]) -> str:
    return _rows(["figure", "value"], ([name, f"{value:.3g}"] for name, value in figures.items()))


_TABLES = {
    "read_series": _read_series,
    "measure_mask": _compared,
    "surface_distances": _compared,
    "register_wall": _register_wall,
    "memory": _memory,
    "register_visit": _figures,
    "assess_subject": _figures,
    "start": _figures,
}
