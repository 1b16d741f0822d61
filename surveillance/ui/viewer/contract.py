"""Contract: everything the browser is told, as JSON; `frontend/src/contract.ts` mirrors it."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from typing import Any

from surveillance.ui.viewer.annotation import Annotation
from surveillance.ui.viewer.hanging import Hanging, Layer, MaskLayer, Picture, WindowPreset
from surveillance.ui.viewer.routes import route_url
from surveillance.ui.viewer.tokens import TokenOffice
from surveillance.ui.viewer.voxels import served_mask, served_volume

BRIGHT_IN_UNITS = 4.0
"""Without reference muscle the 99th percentile is shown as bright as 4 × muscle would be."""


class Messenger:
    """Describes hangings to one browser of one session."""

    def __init__(self, office: TokenOffice, session: str, browser: str) -> None:
        self._office = office
        self._session = session
        self._browser = browser

    def describe(
        self, hanging: Hanging, presets: tuple[WindowPreset, ...], texts: Mapping[str, str]
    ) -> dict[str, Any]:
        """Return the component's data; equal hangings give equal data while tokens live."""
        return {
            "case": hanging.case,
            "visit": hanging.visit,
            "comparedWith": hanging.compared_with,
            "layout": hanging.layout,
            "tools": sorted(hanging.tools),
            "pictures": [self._picture(picture) for picture in hanging.pictures],
            "annotations": [_annotation(annotation) for annotation in hanging.annotations],
            "presets": [{"label": p.label, "low": p.low, "high": p.high} for p in presets],
            "texts": dict(texts),
        }

    def _picture(self, picture: Picture) -> dict[str, Any]:
        served = served_volume(picture.volume)
        token = self._office.issue(served, self._session, self._browser)
        muscle = picture.muscle_median
        return {
            "key": picture.key,
            "visit": picture.visit,
            "series": picture.series,
            "space": picture.space,
            "native": picture.native,
            "shape": list(picture.volume.geometry.shape),
            "affine": picture.volume.geometry.affine.ravel().tolist(),
            "spaceFromIndex": picture.space_from_index.ravel().tolist(),
            "slope": served.slope,
            "intercept": served.intercept,
            "unit": muscle or served.bright / BRIGHT_IN_UNITS,
            "hasMuscle": muscle is not None,
            "id": served.id,
            "url": route_url(f"graft/volume/{token}"),
            "slabSlices": served.slab_slices,
            "start": _start(picture),
            "layers": [self._layer(layer) for layer in picture.layers],
        }

    def _layer(self, layer: MaskLayer) -> dict[str, Any]:
        served = served_mask(layer.mask)
        token = self._office.issue(served, self._session, self._browser)
        return {
            "layer": layer.layer,
            "editable": layer.editable,
            "check": zlib.crc32(served.bits),
            "url": route_url(f"graft/mask/{token}"),
        }


def _start(picture: Picture) -> list[float] | None:
    """Return the voxel index of the middle of the graft, None without one."""
    grafts = [layer.mask for layer in picture.layers if layer.layer is Layer.GRAFT]
    middle = served_mask(grafts[0]).middle if grafts else None
    return None if middle is None else list(middle)


def _annotation(annotation: Annotation) -> dict[str, Any]:
    return {
        "id": annotation.id,
        "kind": annotation.kind,
        "picture": annotation.picture,
        "plane": annotation.plane,
        "slice": annotation.slice_number,
        "points": [list(point) for point in annotation.points_mm],
    }
