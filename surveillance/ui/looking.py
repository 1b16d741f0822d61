"""Looking: a read with the visits that may be seen beside it, and the outlines drawn on them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from imaging.volume import Mask
from readers import masks, reading, worklist
from readers.read import Read, ReadStatus
from readers.worklist import WorkVisit
from surveillance.cases.anatomy import muscles
from surveillance.cases.case import CaseVisit
from surveillance.ui.desk import Desk
from surveillance.ui.measured import keep_measured
from surveillance.ui.viewer import Layer


@dataclass(frozen=True, slots=True)
class Looking:
    """What a reader looks at: the read, and the visits that may be seen with it."""

    desk: Desk
    read: Read
    visits: tuple[WorkVisit, ...]

    def case_visit(self, visit: WorkVisit) -> CaseVisit:
        """Return the images of a visit, in the version that its own read is bound to."""
        desk = self.desk
        source = worklist.image_source(
            desk.station.store, desk.actor, self.read.assignment_id, self.read.visit, visit.label
        )
        return desk.station.library.showing(source.case_id, source.visit, source.images)

    @property
    def this_visit(self) -> WorkVisit:
        """The visit that is read."""
        return next(v for v in self.visits if v.label == self.read.visit)

    @property
    def draft(self) -> bool:
        """Whether anything may still be changed."""
        return self.read.status is ReadStatus.DRAFT


def looking_at(desk: Desk, read_id: int) -> Looking:
    """Return what belongs to a read; refuses another's."""
    store, actor = desk.station.store, desk.actor
    read = reading.load(store, actor, read_id)
    visits = worklist.viewable_visits(store, actor, read.assignment_id, read.visit)
    return Looking(desk, read, visits)


def own_mask(looking: Looking, visit: WorkVisit, found: CaseVisit) -> Mask | None:
    """Return the reader's newest outline of a visit, None without one."""
    newest = own_version(looking, visit)
    if newest is None or visit.read_id is None:
        return None
    desk, read_id = looking.desk, visit.read_id
    return found.case.shelf.memory.get(
        ("reader's mask", newest.sha256),
        lambda: masks.load(desk.station.store, desk.actor, read_id, newest.id),
        lambda mask: mask.array.nbytes,
    )


def own_version(looking: Looking, visit: WorkVisit) -> masks.MaskVersion | None:
    """Return the reader's newest version of a visit's outline, None without one."""
    if visit.read_id is None:
        return None
    desk = looking.desk
    every = masks.versions(desk.station.store, desk.actor, visit.read_id)
    own = [v for v in every if v.read_id == visit.read_id and v.structure == "graft"]
    return own[-1] if own else None


def machine_masks(found: CaseVisit) -> Mapping[Layer, Mask]:
    """Return the program's outlines: after the lock only."""
    drawn = {} if found.graft.mask is None else {Layer.GRAFT: found.graft.mask}
    sides = muscles(found)
    if sides is None:
        return drawn
    return {
        **drawn,
        Layer.RECTUS_LEFT: sides.rectus_left,
        Layer.RECTUS_RIGHT: sides.rectus_right,
    }


def may_see_machine(looking: Looking) -> bool:
    """Whether the store shows this reader the program's outline of the visit."""
    desk, read = looking.desk, looking.read
    shown = masks.versions(desk.station.store, desk.actor, read.id)
    return not looking.draft and any(version.read_id is None for version in shown)


def keep_outline(looking: Looking, mask: Mask, source: masks.Source) -> None:
    """Keep a new version of the reader's outline of the visit, and what it measures."""
    desk, read = looking.desk, looking.read
    parent = own_version(looking, looking.this_visit)
    kept = masks.keep(
        desk.station.store,
        desk.actor,
        read.id,
        mask,
        source,
        parent=None if parent is None else parent.id,
    )
    keep_measured(desk, read.id, kept, mask)
