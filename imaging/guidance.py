"""Guidance: what a person said about a subject's grafts before the program looks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

Point = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Guidance:
    """Seed points (LPS mm), mask files, and which region of such a file, by visit label."""

    seeds: Mapping[str, Point] = field(default_factory=lambda: MappingProxyType({}))
    masks: Mapping[str, Path] = field(default_factory=lambda: MappingProxyType({}))
    regions: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def visits(self) -> frozenset[str]:
        """Labels of the visits that have any."""
        return frozenset(self.seeds) | frozenset(self.masks)
