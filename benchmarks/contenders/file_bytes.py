"""The bytes alone: what reading costs before anything is understood."""

from __future__ import annotations

from pathlib import Path

from benchmarks.contenders import Task


def read_series(folder: Path) -> Task:
    """Every file, whole."""
    return lambda: [path.read_bytes() for path in sorted(folder.iterdir())], lambda _: None
