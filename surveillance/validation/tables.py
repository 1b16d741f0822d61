"""Tables: rows as CSV, the targets as text."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from io import StringIO

from imaging.quality import ENDPOINTS
from surveillance.validation.row import Row
from surveillance.validation.targets import COLUMNS, Bound, Result, results


def table_text(rows: Sequence[Row]) -> str:
    """Return the target table for a terminal: reached value, target, met or missed."""
    cells = results(rows)
    width = max(len(c.target.name) for c in cells) + 6
    heads = [f"{kind}, {variant}" for kind, variant in COLUMNS]
    lines = ["".join([" " * width, *(f"{h:32}" for h in heads)])]
    for start in range(0, len(cells), len(COLUMNS)):
        line = cells[start : start + len(COLUMNS)]
        unit = f" [{line[0].target.unit}]" if line[0].target.unit else ""
        lines.append(
            f"{line[0].target.name + unit:{width}}" + "".join(f"{_cell(c):32}" for c in line)
        )
    return "\n".join(lines) + "\n"


def _cell(result: Result) -> str:
    if result.value is None:
        return "–"
    verdict = {True: "met", False: "MISSED", None: ""}[result.met]
    wanted = "" if result.bound is None else f" ({bound_text(result.bound)})"
    return f"{result.value:.3g}{wanted} {verdict}"


def bound_text(bound: Bound) -> str:
    """Return a bound in signs."""
    if bound.least is not None and bound.most is not None:
        return f"{bound.least:g}–{bound.most:g}"
    return f"≥{bound.least:g}" if bound.least is not None else f"≤{bound.most:g}"


def rows_csv(rows: Sequence[Row]) -> str:
    """Return all rows as CSV, one a line; empty where there is no value."""
    out = StringIO()
    writer = csv.writer(out, lineterminator="\n")
    flat = [_flat(row) for row in rows]
    if flat:
        writer.writerow(flat[0].keys())
        writer.writerows(f.values() for f in flat)
    return out.getvalue()


def _flat(row: Row) -> dict[str, object]:
    found: dict[str, object] = {
        name: getattr(row, name)
        for name in (
            "case", "kind", "split", "course", "variant", "visit", "pixel_mm", "slice_mm",
            "graft_true", "graft_said", "confidence", "sure", "muscle_confidence", "dice",
            "centroid_error_mm", "sides_swapped", "registered", "landmark_mean_mm",
            "landmark_max_mm",
        )
    }  # fmt: skip
    for name in ("volume_ml", "volume_change_percent", "t2_ratio", "t1_ratio"):
        quantity = getattr(row, name)
        low, high = quantity.ci95 or (None, None)
        found |= {
            f"{name}_true": quantity.true, name: quantity.said,
            f"{name}_low": low, f"{name}_high": high,
        }  # fmt: skip
    found["rectus_left_dice"], found["rectus_right_dice"] = row.rectus_dice
    for endpoint in ENDPOINTS:
        answer = row.answers[endpoint]
        found |= {
            f"{endpoint}_true": answer.true, endpoint: answer.said,
            f"{endpoint}_gates_passed": answer.gates_passed,
        }  # fmt: skip
    found["foci"] = "; ".join(
        f"{f.diameter_mm:g} mm at {f.contrast:.2f}: {'missed' if f.score_mm is None else f'{f.score_mm:.1f} mm'}"
        for f in row.foci
    )
    found["false_foci_mm"] = "; ".join(f"{mm:.1f}" for mm in row.false_foci_mm)
    found |= {"reasons": " ".join(row.reasons), "error": row.error}
    return {k: _rounded(v) for k, v in found.items()}


def _rounded(value: object) -> object:
    if isinstance(value, bool) or not isinstance(value, float):
        return "" if value is None else value
    return float(f"{value:.6g}")
