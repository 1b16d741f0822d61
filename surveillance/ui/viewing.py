"""Viewing: the light box of a read, and what the reader does on it; a fragment of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import streamlit as st

from imaging.errors import GraftsiteError
from imaging.resampling import resample
from imaging.series import Role
from imaging.volume import Mask
from readers import masks, reading, worklist
from readers.read import Read, ReadStatus
from readers.worklist import WorkVisit
from surveillance.cases.anatomy import muscles
from surveillance.cases.case import CaseVisit
from surveillance.cases.outlining import seeded
from surveillance.ui import drafts
from surveillance.ui.acting import part
from surveillance.ui.desk import Desk
from surveillance.ui.drawings import Sheet, annotations_of, marks_of
from surveillance.ui.lightbox import Hung, LightBox, hang, nothing_drawn
from surveillance.ui.measured import keep_measured
from surveillance.ui.viewer import (
    Hanging,
    Layer,
    Seed,
    Tool,
    default_presets,
    mount_viewer,
    viewer_texts,
)


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
    def draft(self) -> bool:
        """Whether anything may still be changed."""
        return self.read.status is ReadStatus.DRAFT


@part
def look(desk: Desk, read_id: int) -> None:
    """Draw the viewer, and keep what is done in it."""
    looking = looking_at(desk, read_id)
    read = looking.read
    box = hang([_hung(looking, visit) for visit in looking.visits])
    if not box.pictures:
        st.warning(desk.text("reading.no_images"))
        return
    shown = {v.label: v.shown for v in looking.visits}
    first = looking.visits[0]
    hanging = Hanging(
        case=f"{read.code}-{read.shown_visit}",
        pictures=box.pictures,
        visit=shown[read.visit],
        compared_with=first.shown if first.label != read.visit else None,
        annotations=annotations_of(read.content.marks, box.native(), read.visit),
        tools=frozenset(Tool) if looking.draft else frozenset({Tool.MEASURE}),
    )
    events = mount_viewer(
        hanging,
        user_session=desk.session,
        presets=default_presets(desk.language),
        texts=viewer_texts(desk.language),
    )
    if events.refused is not None:
        st.error(events.refused.told(desk.language))
    if not looking.draft:
        return
    if events.annotations is not None:
        marks = marks_of(events.annotations, box.sheets, read.visit)
        if marks != read.content.marks and drafts.save(desk, read_id, marks=marks):
            st.rerun()
    if events.edited is not None:
        _keep(looking, events.edited.mask, "edited")
        st.rerun()
    if events.seed is not None:
        _grow(looking, events.seed, box)


def looking_at(desk: Desk, read_id: int) -> Looking:
    """Return what belongs to a read; refuses another's."""
    store, actor = desk.station.store, desk.actor
    read = reading.load(store, actor, read_id)
    visits = worklist.viewable_visits(store, actor, read.assignment_id, read.visit)
    return Looking(desk, read, visits)


def _hung(looking: Looking, visit: WorkVisit) -> Hung:
    found = looking.case_visit(visit)
    reading_it = visit.label == looking.read.visit
    drawn = own_mask(looking, visit, found)
    editable = reading_it and looking.draft
    if reading_it and st.session_state.get("outlines") == "machine" and _may_see_machine(looking):
        return Hung(found, visit.shown, _machine_masks(found))
    if drawn is None and editable and found.grid is not None:
        drawn = nothing_drawn(found.case.shelf.memory, found.grid)
    return Hung(found, visit.shown, {} if drawn is None else {Layer.GRAFT: drawn}, editable)


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


def _machine_masks(found: CaseVisit) -> Mapping[Layer, Mask]:
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


def _may_see_machine(looking: Looking) -> bool:
    """Whether the store shows this reader the program's outline of the visit."""
    desk, read = looking.desk, looking.read
    shown = masks.versions(desk.station.store, desk.actor, read.id)
    return not looking.draft and any(version.read_id is None for version in shown)


def _this_visit(looking: Looking) -> WorkVisit:
    return next(v for v in looking.visits if v.label == looking.read.visit)


def _keep(looking: Looking, mask: Mask, source: masks.Source) -> None:
    desk, read = looking.desk, looking.read
    parent = own_version(looking, _this_visit(looking))
    kept = masks.keep(
        desk.station.store,
        desk.actor,
        read.id,
        mask,
        source,
        parent=None if parent is None else parent.id,
    )
    keep_measured(desk, read.id, kept, mask)


def _grow(looking: Looking, seed: Seed, box: LightBox) -> None:
    """Segment the graft from a seed, keep it, or say why there is none."""
    desk, sheet = looking.desk, box.sheets[seed.picture]
    if sheet.visit.label != looking.read.visit:
        st.warning(desk.text("reading.seed_other_visit"))
        return
    try:
        graft = seeded(sheet.visit, _on_t2(seed, sheet), _earlier(looking, sheet.visit))
    except GraftsiteError as error:
        st.warning(error.told(desk.language))
        return
    if graft.mask is None:
        st.warning(desk.text("reading.seed_found_nothing"))
        return
    _keep(looking, graft.mask, "seeded")
    st.rerun()


def _on_t2(seed: Seed, sheet: Sheet) -> tuple[tuple[float, float, float], ...]:
    """Return the points of a seed in the patient's space of the visit's T2W-FS."""
    points = sheet.original_from_picture @ np.array(seed.points_mm)
    if sheet.role is Role.T1W_FS and sheet.visit.t1_from_t2 is not None:
        points = sheet.visit.t1_from_t2.inverse @ points
    return tuple((float(x), float(y), float(z)) for x, y, z in points)


def _earlier(looking: Looking, visit: CaseVisit) -> Mask | None:
    """Return the reader's own outline of the baseline, carried to this visit."""
    first, motion = looking.visits[0], visit.visit_from_baseline
    if first.label == visit.label or motion is None or visit.grid is None:
        return None
    drawn = own_mask(looking, first, looking.case_visit(first))
    if drawn is None or drawn.is_empty:
        return None
    return resample(drawn, visit.grid, motion.inverse)
