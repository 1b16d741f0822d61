"""Bench: choose the cases, run them, write what came out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import typer

from imaging.errors import UsageError
from imaging.protocol import Protocol
from surveillance.exports.writing import make_folder, write_text
from surveillance.validation import real
from surveillance.validation.case import KINDS, REAL, Recipe
from surveillance.validation.row import Row
from surveillance.validation.run import VARIANTS, run
from surveillance.validation.tables import rows_csv, table_text


@dataclass(frozen=True, slots=True)
class Bench:
    """What the user asked for."""

    output: Path
    full: bool
    kinds: tuple[str, ...]
    only: int | None
    backgrounds: tuple[Path, ...]
    outlines: tuple[Path, ...]
    annotations: Path
    real_data: Path
    jobs: int


def validate(bench: Bench, protocol: Protocol) -> tuple[Row, ...]:
    """Run the bench and write its page.

    Raises
    ------
    UsageError
        An unknown kind, or backgrounds without their outlines.
    """
    make_folder(bench.output)
    chosen = recipes(bench)
    rows = run(chosen, protocol, VARIANTS, bench.jobs, _told)
    write_text(bench.output / "rows.csv", rows_csv(rows))
    text = table_text(rows)
    write_text(bench.output / "table.txt", text)
    typer.echo(text)
    return rows


def recipes(bench: Bench) -> tuple[Recipe, ...]:
    """Return the cases that the user's options name."""
    unknown = set(bench.kinds) - set(KINDS)
    if unknown:
        raise UsageError("validation_kind", kind=", ".join(sorted(unknown)), kinds=", ".join(KINDS))
    kinds = bench.kinds or KINDS
    chosen: list[Recipe] = []
    if REAL in kinds:
        chosen += real.recipes(_sources(bench), bench.only or (60 if bench.full else 10))
    return tuple(chosen)


def _sources(bench: Bench) -> tuple[real.Source, ...]:
    if len(bench.backgrounds) != len(bench.outlines):
        raise UsageError(
            "validation_outlines", images=len(bench.backgrounds), outlines=len(bench.outlines)
        )
    own = zip(bench.backgrounds, bench.outlines, strict=True)
    return tuple(real.Source(*pair) for pair in own) or real.sources(
        bench.annotations, bench.real_data
    )


def _told(rows: tuple[Row, ...]) -> None:
    for row in rows:
        dice = "   –" if row.dice is None else f"{row.dice:.2f}"
        true, said = row.volume_ml.true or 0.0, row.volume_ml.said
        mark = "sure" if row.sure else "    "
        answers = " ".join(f"{a.true[0]}{a.said[0]}" for a in row.answers.values())
        typer.echo(
            f"{row.case:24} {row.variant:9} {row.visit:9} Dice {dice}"
            f"  {true:5.1f} → {'  –  ' if said is None else f'{said:5.1f}'} mL"
            f"  confidence {row.confidence:.2f} {mark} {answers} {row.error or ''}"
        )
