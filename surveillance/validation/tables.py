"""Tables: rows as CSV, the targets as text for a terminal or as Markdown."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from io import StringIO

from imaging.messages import text
from imaging.quality import ENDPOINTS
from surveillance.validation.row import Row
from surveillance.validation.summary import Section
from surveillance.validation.targets import COLUMNS, Result

_PLAIN = (
    "case", "kind", "split", "course", "variant", "visit", "pixel_mm", "slice_mm", "graft_true",
    "graft_said", "confidence", "sure", "muscle_confidence", "dice", "centroid_error_mm",
    "sides_swapped", "registered", "landmark_mean_mm", "landmark_max_mm",
)  # fmt: skip
_QUANTITIES = ("volume_ml", "subvoxel_volume_ml", "volume_change_percent", "t2_ratio", "t1_ratio")


def lines(found: Sequence[Result]) -> list[tuple[str, list[str]]]:
    """Return (measure, one cell a column) of the target table."""
    width = len(COLUMNS)
    return [
        (found[start].target.name, [cell(result) for result in found[start : start + width]])
        for start in range(0, len(found), width)
    ]


def cell(result: Result) -> str:
    """Return what was reached, what was wanted, and the verdict, in a few words."""
    if result.value is None:
        return "–"
    reached = f"{result.value:.3g}"
    if result.bound is None:
        return reached
    verdict = text("validation.met") if result.met else text("validation.missed")
    return f"{reached} ({result.bound}) {verdict}"


def heads() -> list[str]:
    """Return the columns' names."""
    return [text("validation.column", kind=kind, variant=variant) for kind, variant in COLUMNS]


def table_text(found: Sequence[Result]) -> str:
    """Return the target table for a terminal."""
    rows = [("", heads()), *lines(found)]
    first = max(len(name) for name, _ in rows) + 2
    wide = max(len(c) for _, cells in rows for c in cells) + 2
    out = [f"{name:{first}}" + "".join(f"{c:{wide}}" for c in cells) for name, cells in rows]
    return "\n".join(line.rstrip() for line in out) + "\n"


def table_markdown(found: Sequence[Result]) -> str:
    """Return the target table for a page of documentation."""
    out = ["| | " + " | ".join(heads()) + " |", "|---" * (1 + len(COLUMNS)) + "|"]
    out += [f"| {name} | " + " | ".join(cells) + " |" for name, cells in lines(found)]
    return "\n".join(out) + "\n"


_KEPT = ("threshold", "asked", "answered", "wrong", "coverage", "risk", "risk_upper")


def answered_heads() -> list[str]:
    """Return the columns' names of `answered`."""
    keys = ("cases", "question", "threshold", "answered_of", "wrong_of", "risk_upper")
    return [text(f"validation.{key}") for key in keys]


def answered(
    sections: Sequence[Section], thresholds: Sequence[float]
) -> list[tuple[str, str, str, str, str, str]]:
    """Return one line a kind of case, question and threshold: how much is answered, and wrong."""
    return [
        (
            text("validation.column", kind=section.kind, variant=section.variant),
            text(f"validation.{question}"),
            f"{kept.threshold:g}",
            _part(kept.answered, kept.asked),
            _part(kept.wrong, kept.answered),
            "–" if kept.risk_upper is None else f"{100 * kept.risk_upper:.1f}",
        )
        for section in sections
        for question, curve in section.risk_by_threshold.items()
        for kept in curve
        if kept.threshold in thresholds and kept.asked
    ]


def _part(some: int, of: int) -> str:
    return f"{some} / {of}" + (f" ({100 * some / of:.0f} %)" if of else "")


def risk_csv(sections: Sequence[Section]) -> str:
    """Return risk against coverage as CSV, one line a threshold; empty where there is no value."""
    out = StringIO()
    writer = csv.DictWriter(out, ("kind", "variant", "question", *_KEPT), lineterminator="\n")
    writer.writeheader()
    for section in sections:
        for question, curve in section.risk_by_threshold.items():
            head = {"kind": section.kind, "variant": section.variant, "question": question}
            for kept in curve:
                numbers = {name: _rounded(getattr(kept, name)) for name in _KEPT}
                writer.writerow(head | numbers)
    return out.getvalue()


def rows_csv(rows: Sequence[Row]) -> str:
    """Return all rows as CSV, one a line; empty where there is no value."""
    out = StringIO()
    flat = [_flat(row) for row in rows]
    if flat:
        writer = csv.DictWriter(out, flat[0], lineterminator="\n")
        writer.writeheader()
        writer.writerows(flat)
    return out.getvalue()


def _flat(row: Row) -> dict[str, object]:
    found: dict[str, object] = {name: getattr(row, name) for name in _PLAIN}
    for name in _QUANTITIES:
        quantity = getattr(row, name)
        low, high = quantity.ci95 or (None, None)
        found |= {f"{name}_true": quantity.true, name: quantity.said}
        found |= {f"{name}_low": low, f"{name}_high": high}
    found["rectus_left_dice"], found["rectus_right_dice"] = row.rectus_dice
    for endpoint in ENDPOINTS:
        answer = row.answers[endpoint]
        found |= {f"{endpoint}_true": answer.true, endpoint: answer.said}
        found[f"{endpoint}_gates_passed"] = answer.gates_passed
    found["foci_true_mm"] = "; ".join(f"{f.diameter_mm:g}×{f.contrast:.2f}" for f in row.foci)
    found["foci_found_mm"] = "; ".join(
        "–" if f.score_mm is None else f"{f.score_mm:.1f}" for f in row.foci
    )
    found["foci_false_mm"] = "; ".join(f"{mm:.1f}" for mm in row.false_foci_mm)
    found |= {"reasons": " ".join(row.reasons), "refused": row.error}
    return {name: _rounded(value) for name, value in found.items()}


def _rounded(value: object) -> object:
    if isinstance(value, bool) or not isinstance(value, float):
        return "" if value is None else value
    return float(f"{value:.6g}")
