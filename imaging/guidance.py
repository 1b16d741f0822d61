"""Guidance: what a person said about a subject's grafts before the program looks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from imaging.segmentation.seed import Stroke


@dataclass(frozen=True, slots=True)
class Guidance:
    """Strokes of seed points (LPS mm), mask files, and which region of one, by visit label."""

    seeds: Mapping[str, Stroke] = field(default_factory=dict)
    masks: Mapping[str, Path] = field(default_factory=dict)
    regions: Mapping[str, str] = field(default_factory=dict)

    @property
    def visits(self) -> frozenset[str]:
        """Labels of the visits that have any."""
        return frozenset(self.seeds) | frozenset(self.masks)
