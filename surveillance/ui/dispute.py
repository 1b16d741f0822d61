"""The adjudicator's decision: both readings without names, beside the images."""

from __future__ import annotations

from typing import Any

import streamlit as st

from readers import adjudication
from readers.adjudication import BlindedPair
from readers.errors import NotFoundError
from readers.signing import Given, Pen
from surveillance.cases.case import CaseVisit
from surveillance.ui.desk import Desk
from surveillance.ui.disputes import differing
from surveillance.ui.lightbox import Hung, hang
from surveillance.ui.readings import SIDES, rows
from surveillance.ui.shell import bar
from surveillance.ui.signing import ask_proof, signed
from surveillance.ui.third import third_reading
from surveillance.ui.viewer import (
    Hanging,
    Layer,
    Layout,
    Tool,
    default_presets,
    mount_viewer,
    viewer_texts,
)


def draw(desk: Desk) -> None:
    """Draw the page of the dispute in the address."""
    number = st.query_params.get("dispute", "")
    if not number.isascii() or not number.isdigit() or len(number) > 9:
        raise NotFoundError("dispute_unknown", dispute=number[:9])
    pair = adjudication.view(desk.station.store, desk.actor, int(number))
    dispute = pair.dispute
    bar(desk, f"{dispute.code} · {dispute.visit} · {differing(desk, dispute)}")
    with st.container(key="read"):
        pictures, readings = st.columns([6, 4], gap=None, wrap=False)
    with pictures:
        _look(desk, pair)
    with readings, st.container(height=640, border=False):
        _decide(desk, pair)


@st.fragment
def _look(desk: Desk, pair: BlindedPair) -> None:
    shown = st.session_state.get("outline shown", "first")
    visits = _visits(desk, pair)
    box = hang([_hung(desk, pair, visit, shown) for visit in visits])
    hanging = Hanging(
        case=f"{pair.dispute.code}-{shown}",
        pictures=box.pictures,
        visit=pair.dispute.visit,
        compared_with=visits[0].label if len(visits) > 1 else None,
        layout=Layout.TWO if len(visits) > 1 else Layout.ONE,
        tools=frozenset({Tool.MEASURE}),
    )
    mount_viewer(
        hanging,
        user_session=desk.session,
        owner=desk.owner,
        presets=default_presets(desk.language),
        texts=viewer_texts(desk.language),
    )


def _visits(desk: Desk, pair: BlindedPair) -> list[CaseVisit]:
    """Return the disputed visit and all before it, as the readers saw them."""
    store, actor, dispute = desk.station.store, desk.actor, pair.dispute
    source = adjudication.image_source(store, actor, dispute.id, dispute.visit)
    last = desk.station.library.showing(source.case_id, source.visit, source.images)
    labels = [visit.label for visit in last.case.visits]
    return list(last.case.visits[: labels.index(dispute.visit) + 1])


def _hung(desk: Desk, pair: BlindedPair, visit: CaseVisit, side: str) -> Hung:
    hashed = getattr(pair, side).masks.get("graft")
    if visit.label != pair.dispute.visit or hashed is None:
        return Hung(visit, visit.label, {})
    store, actor = desk.station.store, desk.actor
    mask = visit.case.shelf.memory.get(
        ("disputed mask", hashed),
        lambda: adjudication.mask(store, actor, pair.dispute.id, hashed),
        lambda found: found.array.nbytes,
    )
    return Hung(visit, visit.label, {Layer.GRAFT: mask})


def _decide(desk: Desk, pair: BlindedPair) -> None:
    _outline(desk)
    found = rows(desk, pair)
    apart = [row for row in found if row[1] != row[2]]
    alike = [row for row in found if row[1] == row[2]]
    heads = [desk.text(f"dispute.{name}") for name in ("question", *SIDES)]
    st.table([dict(zip(heads, row, strict=True)) for row in apart], hide_index=True)
    with st.expander(desk.text("dispute.alike", count=len(alike))):
        st.table([dict(zip(heads, row, strict=True)) for row in alike], hide_index=True)
    options = {name: desk.text(f"dispute.{name}") for name in (*SIDES, "third")}
    choice: Any = st.radio(
        desk.text("dispute.choice"), list(options), format_func=options.__getitem__,
        horizontal=True, index=None,
    )  # fmt: skip
    third = third_reading(desk, pair) if choice == "third" else None
    reason = st.text_area(desk.text("signing.reason"), max_chars=2000, height=80)
    with st.form("decision", border=False):
        proof = ask_proof(desk, desk.text("dispute.statement", name=desk.actor.display_name))
        pressed = st.form_submit_button(desk.text("dispute.sign"), type="primary")
    if pressed and choice is None:
        st.error(desk.text("dispute.choose"))
    elif pressed:
        pen = Pen(proof, desk.station.protocol, reason)
        if signed(desk, lambda: _sign(desk, pair, choice, pen, third)):
            st.switch_page(st.session_state["pages"]["disputes"])


def _sign(desk: Desk, pair: BlindedPair, choice: Any, pen: Pen, third: Given | None) -> None:
    adjudication.decide(desk.station.store, desk.actor, pair.dispute.id, choice, pen, third)


def _outline(desk: Desk) -> None:
    options = {side: desk.text(f"dispute.outline_{side}") for side in SIDES}
    chosen = st.segmented_control(
        desk.text("results.outlines"), list(options), format_func=options.__getitem__,
        default="first", required=True, label_visibility="collapsed",
    )  # fmt: skip
    if chosen != st.session_state.get("outline shown", "first"):
        st.session_state["outline shown"] = chosen
        st.rerun()
