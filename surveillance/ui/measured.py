"""Measured: what a reader's own outline amounts to, as soon as it is drawn."""

from __future__ import annotations

from imaging.measurements.shape import measure_shape
from imaging.volume import Mask
from readers import masks
from readers.masks import MaskVersion
from surveillance.ui.desk import Desk


def keep_measured(desk: Desk, read_id: int, version: MaskVersion, mask: Mask) -> None:
    """Measure a new outline by the functions of the assessment, and keep that with it."""
    shape = measure_shape(mask, desk.station.protocol.morphology)
    measured = {
        "source": version.source,
        "volume_ml": shape.volume_ml.value,
        "max_diameter_mm": shape.max_diameter_mm.value,
    }
    masks.keep_measured(desk.station.store, desk.actor, read_id, version.id, measured)


def told(desk: Desk, measured: dict[str, object] | None) -> str:
    """Return a line about an outline, "" without one."""
    volume = None if measured is None else measured["volume_ml"]
    if measured is None or volume is None:
        return ""
    return desk.text(
        f"reading.outline_{measured['source']}",
        volume_ml=volume,
        diameter_mm=measured["max_diameter_mm"],
    )
