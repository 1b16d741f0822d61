"""`graftsite inspect`: what is there, which role each series has, and why."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from rich.markup import escape
from rich.table import Table

from imaging.errors import UsageError
from imaging.loaders import check_pixels, find_series
from imaging.messages import text
from imaging.protocol import Protocol
from imaging.series import Series
from imaging.visit import Subject
from imaging.visits import arrange
from surveillance.terminal import wide_console


def show(inputs: tuple[Path, ...], protocol: Protocol) -> bool:
    """Print the table, then what was refused; return whether any series was found.

    Raises
    ------
    UsageError
        An input does not exist.
    """
    for path in inputs:
        if not path.exists():
            raise UsageError("no_such_input", path=path)
    inventory = check_pixels(find_series(inputs, protocol))
    arrangement = arrange(inventory.series, protocol)
    console = wide_console()
    if inventory.series:
        console.print(_table(inventory.series, arrangement.subjects))
    for subject in arrangement.subjects:
        for visit in subject.visits:
            for note in visit.notes:
                console.print(f"{subject.id} {visit.label}: {note}", markup=False, soft_wrap=True)
    for refusal in (*inventory.refusals, *arrangement.refusals):
        console.print(refusal.message, style="red", markup=False, soft_wrap=True)
    return bool(inventory.series)


def _table(series: tuple[Series, ...], subjects: tuple[Subject, ...]) -> Table:
    table = Table(title=text("inspect.title"))
    for name in ("subject", "visit", "date", "series", "role", "size", "evidence"):
        table.add_column(text(f"inspect.{name}"), overflow="fold")
    visits = dict(_visit_of_each(subjects))
    for one in sorted(series, key=_chronological):
        identity = one.info.identity
        table.add_row(
            escape(identity.subject),
            visits.get(id(one), "–"),
            str(identity.study_date or "–"),
            escape(one.info.description),
            one.role.value,
            _size(one),
            escape("; ".join(one.decision.evidence)),
        )
    return table


def _chronological(series: Series) -> tuple[str, str, str, str]:
    identity = series.info.identity
    return identity.subject, str(identity.study_date), identity.time_point or "", series.role.value


def _visit_of_each(subjects: tuple[Subject, ...]) -> Iterator[tuple[int, str]]:
    for subject in subjects:
        for visit in subject.visits:
            for series in (visit.t2w_fs, visit.t1w_fs, *visit.supporting):
                if series is not None:
                    yield id(series), visit.label


def _size(series: Series) -> str:
    i, j, k = series.geometry.shape
    x, y, z = series.geometry.spacing_mm
    return f"{i}×{j}×{k}, {x:.2f}×{y:.2f}×{z:.1f} mm"
