"""Light box: which pictures hang beside each other for one visit, and what may be done on them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from imaging.geometry import Geometry
from imaging.series import Role
from imaging.transform import identity
from imaging.volume import Mask
from surveillance.cases.case import CaseVisit
from surveillance.cases.memory import Memory
from surveillance.ui.drawings import Sheet
from surveillance.ui.viewer import Layer, MaskLayer, Picture

_ROLES = (Role.T2W_FS, Role.T1W_FS)
BASELINE_SPACE = "baseline"


@dataclass(frozen=True, slots=True, eq=False)
class Hung:
    """One visit as it is hung: what the screen calls it, its masks, and which can be drawn on."""

    visit: CaseVisit
    shown: str
    masks: Mapping[Layer, Mask]
    editable: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class LightBox:
    """Pictures, and what each of them shows."""

    pictures: tuple[Picture, ...]
    sheets: Mapping[str, Sheet]

    def native(self) -> dict[tuple[str, Role], str]:
        """Return the keys of the pictures as acquired, by visit label and series."""
        return {
            (s.visit.label, s.role): key for key, s in self.sheets.items() if key == s.original.key
        }


def hang(visits: Sequence[Hung]) -> LightBox:
    """Hang visits in order of time: each series as acquired, and registered to the baseline."""
    pairs = [pair for hung in visits for pair in _pictures(hung)]
    return LightBox(
        tuple(picture for picture, _ in pairs), {picture.key: sheet for picture, sheet in pairs}
    )


def _pictures(hung: Hung) -> Iterator[tuple[Picture, Sheet]]:
    visit = hung.visit
    for role in _ROLES:
        volume, series_from_baseline = visit.volume(role), visit.series_from_baseline(role)
        if volume is None:
            continue
        registered = series_from_baseline is not None
        native = Picture(
            volume,
            hung.shown,
            role.value,
            space=BASELINE_SPACE if registered else f"{visit.label}/{role.value}",
            space_from_picture=None
            if series_from_baseline is None
            else series_from_baseline.inverse,
            muscle_median=visit.muscle_median(role),
            layers=tuple(_layers(hung)) if role is Role.T2W_FS else (),
        )
        yield native, Sheet(visit, role, native, identity())
        carried = visit.on_baseline(role)
        if series_from_baseline is not None and carried is not None and carried is not volume:
            picture = Picture(
                carried,
                hung.shown,
                role.value,
                space=BASELINE_SPACE,
                native=False,
                muscle_median=visit.muscle_median(role),
                layers=tuple(_carried_layers(hung)),
            )
            yield picture, Sheet(visit, role, native, series_from_baseline)


def _layers(hung: Hung) -> Iterator[MaskLayer]:
    for layer, mask in hung.masks.items():
        yield MaskLayer(layer, mask, hung.editable and layer is Layer.GRAFT)


def _carried_layers(hung: Hung) -> Iterator[MaskLayer]:
    memory = hung.visit.case.shelf.memory
    for layer, mask in hung.masks.items():
        # The mask itself is held with what was made of it, so that its id stays its own.
        pair = memory.get(
            ("carried", hung.visit.case.version, hung.visit.label, id(mask)),
            lambda mask=mask: (mask, hung.visit.mask_on_baseline(mask)),  # type: ignore[misc]
            lambda made: 0 if made[1] is None else made[1].array.nbytes,
        )
        if pair[1] is not None:
            yield MaskLayer(layer, pair[1])


def nothing_drawn(memory: Memory, grid: Geometry) -> Mask:
    """Return the empty mask of a grid, always the same object."""
    return memory.get(
        ("nothing drawn", grid.shape, grid.affine.tobytes(), grid.frame_of_reference),
        lambda: Mask(np.zeros(grid.shape, dtype=np.bool_), grid),
        lambda mask: mask.array.nbytes,
    )
