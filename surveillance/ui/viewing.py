"""Viewing: the light box of a read, and what the reader does on it; a fragment of its own."""

from __future__ import annotations

import numpy as np
import streamlit as st

from imaging.errors import GraftsiteError
from imaging.resampling import resample
from imaging.series import Role
from imaging.volume import Mask
from readers.worklist import WorkVisit
from surveillance.cases.case import CaseVisit
from surveillance.cases.outlining import seeded
from surveillance.ui import drafts
from surveillance.ui.acting import part
from surveillance.ui.desk import Desk
from surveillance.ui.drawings import Sheet, annotations_of, marks_of
from surveillance.ui.lightbox import Hung, LightBox, hang, nothing_drawn
from surveillance.ui.looking import (
    Looking,
    keep_outline,
    looking_at,
    machine_masks,
    may_see_machine,
    own_mask,
)
from surveillance.ui.viewer import (
    Hanging,
    Layer,
    Layout,
    Seed,
    Tool,
    default_presets,
    mount_viewer,
    viewer_texts,
)


@part
def look(desk: Desk, read_id: int) -> None:
    """Draw the viewer, and keep what is done in it."""
    looking = looking_at(desk, read_id)
    read = looking.read
    box = hang([_hung(looking, visit) for visit in looking.visits])
    if not box.pictures:
        st.warning(desk.text("reading.no_images"))
        return
    shown = {v.label: v.shown for v in looking.visits}[read.visit]
    earlier = next((p.visit for p in box.pictures if p.visit != shown), None)
    hanging = Hanging(
        case=f"{read.code}-{read.shown_visit}",
        pictures=box.pictures,
        visit=shown,
        compared_with=earlier,
        layout=Layout.ONE if earlier is None else Layout.TWO,
        annotations=annotations_of(read.content.marks, box.native(), read.visit),
        tools=frozenset(Tool) if looking.draft else frozenset({Tool.MEASURE}),
    )
    events = mount_viewer(
        hanging,
        user_session=desk.session,
        owner=desk.owner,
        presets=default_presets(desk.language),
        texts=viewer_texts(desk.language),
    )
    if events.refused is not None:
        st.error(events.refused.told(desk.language))
    if not looking.draft:
        return
    if events.annotations is not None:
        marks = marks_of(events.annotations, box.sheets, read.visit)
        if marks != read.content.marks and drafts.save(desk, read_id, drafts.Change(marks=marks)):
            st.rerun()
    if events.edited is not None:
        keep_outline(looking, events.edited.mask, "edited")
        st.rerun()
    if events.seed is not None:
        _grow(looking, events.seed, box)


def _hung(looking: Looking, visit: WorkVisit) -> Hung:
    found = looking.case_visit(visit)
    reading_it = visit.label == looking.read.visit
    drawn = own_mask(looking, visit, found)
    editable = reading_it and looking.draft
    if reading_it and st.session_state.get("outlines") == "machine" and may_see_machine(looking):
        return Hung(found, visit.shown, machine_masks(found))
    if drawn is None and editable and found.grid is not None:
        drawn = nothing_drawn(found.case.shelf.memory, found.grid)
    return Hung(found, visit.shown, {} if drawn is None else {Layer.GRAFT: drawn}, editable)


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
    keep_outline(looking, graft.mask, "seeded")
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
