"""Put the table and pictures of a validation into docs/validation.md.

python docs/make_validation.py validation_output

Pictures of real images may not be published here: of those the outlines alone are drawn.
"""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

DOCS = Path(__file__).parent
PAGE = DOCS / "validation.md"
OPENING, CLOSING = "<!-- table and pictures: docs/make_validation.py -->", "<!-- end of table -->"
WHICH = ("best", "median", "worst")
CAPTION = 14
REAL = "real"
Row: TypeAlias = dict[str, str]


def main() -> None:
    """Write the pictures and the page."""
    folder = Path(sys.argv[1])
    rows = list(csv.DictReader((folder / "rows.csv").read_text(encoding="utf-8").splitlines()))
    drawn = [
        _drawn(folder, kind, variant, rows)
        for kind, variant in sorted({(row["kind"], row["variant"]) for row in rows})
    ]
    table = (folder / "table.md").read_text(encoding="utf-8")
    parts = [OPENING, _said(folder, rows), table.strip(), *drawn, CLOSING]
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(OPENING)
    after = rest.partition(CLOSING)[2]
    PAGE.write_text(before + "\n\n".join(parts) + after, encoding="utf-8")


def _said(folder: Path, rows: list[Row]) -> str:
    summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    kinds = Counter(kind for kind, _ in {(row["kind"], row["case"]) for row in rows})
    cases = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"],  # noqa: S607 - whichever git there is
        cwd=DOCS,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.strip()
    date = datetime.now(UTC).date().isoformat()
    return f"{date}, program {summary['program']} at commit {commit}; subjects: {cases}."


def _drawn(folder: Path, kind: str, variant: str, rows: list[Row]) -> str:
    """Write the best, median and worst last visit side by side; return how the page shows them."""
    name = f"validation_{kind}_{variant.replace(' ', '_')}.png"
    tiles = [
        _tile(folder / "pictures" / f"{row['case']} {variant}.png".replace(" ", "-"), kind, words)
        for row, words in _examples(kind, variant, rows)
    ]
    height = max(tile.height for tile in tiles)
    sheet = Image.new("RGB", (sum(tile.width + 4 for tile in tiles), height), "white")
    left = 0
    for tile in tiles:
        sheet.paste(tile, (left, 0))
        left += tile.width + 4
    sheet.save(DOCS / name)
    return f"{kind.capitalize()} cases, {variant}: ![{kind}, {variant}]({name})"


def _examples(kind: str, variant: str, rows: list[Row]) -> Iterator[tuple[Row, str]]:
    mine = (r for r in rows if (r["kind"], r["variant"]) == (kind, variant) and r["dice"])
    last = sorted({r["case"]: r for r in mine}.values(), key=lambda r: -float(r["dice"]))
    for word, place in zip(WHICH, (0, len(last) // 2, len(last) - 1), strict=True):
        yield last[place], f"{word}: {last[place]['case']}, {float(last[place]['dice']):.2f}"


def _tile(path: Path, kind: str, words: str) -> Image.Image:
    picture = np.asarray(Image.open(path).convert("RGB"))
    if kind == REAL:
        picture = _outlines(picture)
    width = max(picture.shape[1], 6 * len(words) + 8)
    tile = Image.new("RGB", (width, picture.shape[0] + CAPTION), "white")
    ImageDraw.Draw(tile).text((2, 1), words, fill="black")
    tile.paste(Image.fromarray(picture), (0, CAPTION))
    return tile


def _outlines(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the drawn half without its image: the outlines are where the halves differ."""
    plain, drawn = np.split(picture, 2, axis=1)
    different = (plain != drawn).any(axis=2, keepdims=True)
    return np.where(different, drawn, np.uint8(0))


if __name__ == "__main__":
    main()
