"""Results: what a reader sees of a locked read: the program's values beside the own answers."""

from __future__ import annotations

from typing import Any

import streamlit as st

from readers import reading, worklist
from readers.errors import OrderError
from readers.read import Read, SignedContent
from surveillance.cases.outlining import edited
from surveillance.exports.contract import VisitBlock
from surveillance.ui import second_answer
from surveillance.ui.acting import part
from surveillance.ui.desk import Desk
from surveillance.ui.form import Look, described, mount_form
from surveillance.ui.looking import Looking, looking_at, own_mask
from surveillance.ui.machine import comparison
from surveillance.ui.signing import Task


@part
def results(desk: Desk, read_id: int) -> None:
    """Draw the right side of a locked read."""
    looking = looking_at(desk, read_id)
    task = second_answer.begun(read_id)
    if task is not None:
        second_answer.draw(desk, looking.read, task)
        return
    _next(looking)
    views = {name: desk.text(f"results.{name}") for name in ("values", "answers", "signatures")}
    view = st.segmented_control(
        desk.text("results.view"), list(views), format_func=views.__getitem__, default="values",
        label_visibility="collapsed", required=True, key=f"view-{read_id}",
    )  # fmt: skip
    if view == "answers":
        _answers(desk, looking.read)
    elif view == "signatures":
        _signatures(desk, looking.read)
    else:
        _values(looking)


def _next(looking: Looking) -> None:
    desk, read = looking.desk, looking.read
    items = worklist.of_reader(desk.station.store, desk.actor)
    item = next(item for item in items if item.id == read.assignment_id)
    upcoming = item.next_visit
    with st.container(horizontal=True, gap="small"):
        if upcoming is not None:
            label = desk.text("results.next", visit=upcoming.shown)
            if st.button(label, type="primary", key="next-visit"):
                address = {"case": str(item.id), "visit": upcoming.label}
                st.switch_page(st.session_state["pages"]["reading"], query_params=address)
        elif st.button(desk.text("results.done"), type="primary", key="next-visit"):
            st.switch_page(st.session_state["pages"]["worklist"])
        if read.after_machine is None and st.button(desk.text("results.change_mind")):
            second_answer.begin(read, Task.CHANGE_MIND)
        if st.button(desk.text("results.correct")):
            second_answer.begin(read, Task.CORRECT)


def _values(looking: Looking) -> None:
    """Show the program's values; the store writes down that they were seen."""
    desk, read = looking.desk, looking.read
    try:
        found: Any = reading.machine_values(desk.station.store, desk.actor, read.id)
    except OrderError as error:
        st.info(error.told(desk.language))
        return
    if found is None:
        st.info(desk.text("results.no_machine"))
        return
    options = {name: desk.text(f"results.outline_{name}") for name in ("mine", "machine")}
    chosen = st.segmented_control(
        desk.text("results.outlines"), list(options), format_func=options.__getitem__,
        default=st.session_state.get("outlines", "mine"), required=True, key="choose-outlines",
        label_visibility="collapsed",
    )  # fmt: skip
    if chosen != st.session_state.get("outlines", "mine"):
        st.session_state["outlines"] = chosen
        st.rerun()
    machine = VisitBlock.model_validate(found["visit"], strict=False)
    again = _with_own_outline(looking)
    comparison(desk, read, machine, again)


def _with_own_outline(looking: Looking) -> VisitBlock | None:
    """Return this visit measured and judged with the reader's outlines; None without one here."""
    read, desk = looking.read, looking.desk
    drawn = {}
    for visit in looking.visits:
        mask = own_mask(looking, visit, looking.case_visit(visit))
        if mask is not None and not mask.is_empty:
            drawn[visit.label] = mask
    if read.visit not in drawn:
        return None
    case = looking.case_visit(looking.this_visit).case
    known = tuple(sorted((label, id(mask)) for label, mask in drawn.items()))
    with st.spinner(desk.text("results.measuring")):
        record, _ = case.shelf.memory.get(
            ("edited", case.version, read.visit, known),
            # The masks are held with the record, so that their ids stay their own.
            lambda: (edited(case, drawn, until=read.visit), tuple(drawn.values())),
            lambda made: len(made[0].model_dump_json()),
        )
    return next(block for block in record.visits if block.folder == read.visit)


def _answers(desk: Desk, read: Read) -> None:
    signed = read.current
    content = read.content if signed is None else signed.content
    look = Look(desk.language, read_only=True, name=f"locked-{read.id}")
    told = described(read, content, desk.station.protocol, look)
    mount_form(told, f"locked-{read.id}", on_answers=_nothing, on_finish=_nothing)


def _nothing() -> None:
    """Nothing is sent by a form that is only read."""


def _signatures(desk: Desk, read: Read) -> None:
    for signed in read.signed:
        with st.container(border=True):
            st.text(_signature(desk, signed))
            if signed.reason:
                st.text(desk.text("results.reason", reason=signed.reason))


def _signature(desk: Desk, signed: SignedContent) -> str:
    kind = desk.text(f"results.kind_{signed.kind}")
    return desk.text(
        "results.signature", kind=kind, signer=signed.signer, at=signed.signed_at[:19],
        sha256=signed.sha256[:16],
    )  # fmt: skip
