"""Bench: choose the cases, run them, write what came out."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from imaging.errors import UsageError
from imaging.protocol import Protocol
from surveillance.exports.writing import make_folder, write_text, write_with
from surveillance.validation import analytic, real, simulated
from surveillance.validation.case import ANALYTIC, KINDS, REAL, SIMULATED, Recipe
from surveillance.validation.figures import figures
from surveillance.validation.kept import Kept, key_of
from surveillance.validation.page import page
from surveillance.validation.row import Row
from surveillance.validation.run import Told, run
from surveillance.validation.source import Source, public_sources
from surveillance.validation.summary import Summary, as_json, summarise
from surveillance.validation.tables import risk_csv, rows_csv, table_markdown, table_text

QUICK = {ANALYTIC: 3, SIMULATED: 4, REAL: 8}
FULL = {ANALYTIC: 40, SIMULATED: 210, REAL: 84}
"""Cases of each kind; analytic ones of each question."""


@dataclass(frozen=True, slots=True)
class Request:
    """What the user asked for."""

    output: Path
    full: bool
    kinds: tuple[str, ...]
    only: int | None
    sources: tuple[Source, ...]
    variants: tuple[str, ...]
    jobs: int


def own_sources(
    images: Sequence[Path], outlines: Sequence[Path], t1: Sequence[Path]
) -> tuple[Source, ...]:
    """Return a site's own images with their outlines.

    Raises
    ------
    UsageError
        Not one outline an image, or some images with a T1W-FS and some without.
    """
    if len(images) != len(outlines) or len(t1) not in {0, len(images)}:
        raise UsageError(
            "validation_outlines", images=len(images), outlines=len(outlines), t1=len(t1)
        )
    second: Sequence[Path | None] = t1 or [None] * len(images)
    return tuple(Source(*given) for given in zip(images, outlines, second, strict=True))


def validate(request: Request, protocol: Protocol, told: Told) -> tuple[Summary, tuple[str, ...]]:
    """Run the bench and write the page, summary.json, the tables and the pictures.

    Finished cases are kept in `cases/` of the output, and a later run of the same program on the
    same images uses them. Also returns the names of cases that are missing.

    Raises
    ------
    UsageError
        An unknown kind, or no case at all.
    OutputError
        The folder cannot be written.
    """
    chosen = recipes(request)
    make_folder(request.output)
    kept = Kept(request.output / "cases", key_of(protocol, request.variants, request.sources))
    (rows, pictures), missing = run(chosen, protocol, request.variants, request.jobs, told, kept)
    summary = summarise(rows, protocol)
    for (case, variant), png in pictures.items():
        name = f"{case} {variant}.png".replace(" ", "-")
        write_with(request.output / "pictures" / name, _writer(png))
    write_text(request.output / "rows.csv", rows_csv(rows))
    write_text(request.output / "risk.csv", risk_csv(summary.sections))
    write_text(request.output / "summary.json", json.dumps(as_json(summary), indent=1) + "\n")
    write_text(request.output / "table.txt", table_text(summary.targets))
    write_text(request.output / "table.md", table_markdown(summary.targets))
    drawn = page(summary, rows, figures(summary, rows), pictures)
    write_text(request.output / "index.html", drawn)
    return summary, missing


def _writer(content: bytes) -> Callable[[Path], object]:
    return lambda temporary: temporary.write_bytes(content)


def recipes(request: Request) -> tuple[Recipe, ...]:
    """Return the cases that a request names.

    Raises
    ------
    UsageError
        An unknown kind, or no case at all: no images for real anatomy.
    """
    unknown = set(request.kinds) - set(KINDS)
    if unknown:
        raise UsageError("validation_kind", kind=", ".join(sorted(unknown)), kinds=", ".join(KINDS))
    number = FULL if request.full else QUICK
    makers: dict[str, Callable[[int], Sequence[Recipe]]] = {
        ANALYTIC: lambda n: tuple(analytic.recipes(n)),
        SIMULATED: lambda n: tuple(simulated.recipes(n)),
        REAL: lambda n: tuple(real.recipes(request.sources, n)),
    }
    chosen = [
        recipe
        for kind, make in makers.items()
        if kind in (request.kinds or KINDS)
        for recipe in make(request.only or number[kind])
    ]
    if not chosen:
        raise UsageError("validation_no_images")
    return tuple(chosen)


def public(annotations: Path, real_data: Path) -> tuple[Source, ...]:
    """Return the outlined public images that are on this machine."""
    return public_sources(annotations, real_data) if annotations.is_dir() else ()


def line(row: Row) -> str:
    """Return one row for a terminal."""
    dice = "  – " if row.dice is None else f"{row.dice:.2f}"
    said = "  –  " if row.volume_ml.said is None else f"{row.volume_ml.said:5.1f}"
    answers = " ".join(f"{a.true[0]}{a.said[0]}" for a in row.answers.values())
    return (
        f"{row.case:26} {row.variant:9} {row.visit:9} Dice {dice}"
        f"  {row.volume_ml.true or 0.0:5.1f} → {said} mL"
        f"  confidence {row.confidence:.2f}{' sure' if row.sure else '     '}"
        f"  {answers} {row.error or ''}".rstrip()
    )
