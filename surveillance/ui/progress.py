"""The coordinator's page: which case is whose, how far it is, and what the readers together say."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from readers import accounts, assigning, cases, final, overview
from readers.actor import Role
from readers.assigning import Progress
from readers.overview import Discordance
from readers.worklist import VisitState
from surveillance.ui.acting import act
from surveillance.ui.desk import Desk
from surveillance.ui.disputes import named
from surveillance.ui.shell import bar, page

_SIGNS = {VisitState.LOCKED: "●", VisitState.OPEN: "◐", VisitState.WAITING: "○"}


def draw(desk: Desk) -> None:
    """Draw the page."""
    bar(desk, desk.text("page.progress"))
    store, actor = desk.station.store, desk.actor
    with page():
        found = assigning.progress(store, actor)
        _assign(desk, found)
        _plan(desk)
        for case in cases.every(store, actor):
            mine = [p for p in found if p.case_id == case.case_id]
            _case(desk, case.case_id, [v.label for v in case.visits], mine)
        _discordances(desk)


def _assign(desk: Desk, found: Sequence[Progress]) -> None:
    store, actor = desk.station.store, desk.actor
    taken = {p.case_id for p in found if not p.is_reread}
    free = [c.case_id for c in cases.every(store, actor) if c.case_id not in taken]
    readers = [a for a in accounts.every(store, actor) if a.role is Role.READER and not a.disabled]
    most = desk.station.paradigm.readers.per_case
    if not free:
        st.caption(desk.text("progress.all_assigned"))
        return
    with st.form("assign"), st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = st.multiselect(desk.text("progress.cases"), free, key="cases")
        names = st.multiselect(
            desk.text("progress.readers", count=most), [a.name for a in readers],
            max_selections=most, key="readers",
        )  # fmt: skip
        pressed = st.form_submit_button(desk.text("progress.assign"), type="primary")
    if pressed and chosen and names:
        act(desk, lambda: _assign_all(desk, chosen, names))


def _assign_all(desk: Desk, chosen: Sequence[str], names: Sequence[str]) -> None:
    station = desk.station
    for case in chosen:
        assigning.assign(station.store, desk.actor, case, names, station.paradigm)


def _plan(desk: Desk) -> None:
    if st.button(desk.text("progress.plan_rereads"), help=desk.text("progress.about_rereads")):
        planned = assigning.plan_rereads(desk.station.store, desk.actor)
        st.toast(desk.text("progress.planned", count=planned))


def _case(desk: Desk, case_id: str, visits: Sequence[str], mine: Sequence[Progress]) -> None:
    with st.container(border=True):
        st.markdown(f"**{case_id}**")
        rows = [_outcome(desk, case_id, visits)]
        rows += [_reader(desk, progress) for progress in mine]
        st.table(rows, hide_index=True)
        _withdraw(desk, mine)


def _outcome(desk: Desk, case_id: str, visits: Sequence[str]) -> dict[str, str]:
    told = {"": desk.text("progress.together")}
    for visit in visits:
        found = final.outcome(desk.station.store, desk.actor, case_id, visit)
        told[visit] = desk.text(f"progress.basis_{found.basis}")
    return told


def _reader(desk: Desk, progress: Progress) -> dict[str, str]:
    again = f" ({desk.text('progress.reread')})" if progress.is_reread else ""
    stale = set(progress.stale_visits)
    told = {"": f"{progress.reader} · {progress.code}{again}"}
    for visit in progress.visits:
        older = f" {desk.text('progress.stale')}" if visit.label in stale else ""
        told[visit.label] = _SIGNS[visit.state] + older
    return told


def _withdraw(desk: Desk, mine: Sequence[Progress]) -> None:
    if not mine:
        return
    with st.popover(desk.text("progress.withdraw")):
        codes = {p.assignment_id: f"{p.reader} · {p.code}" for p in mine}
        key = str(mine[0].assignment_id)
        which = st.selectbox(
            desk.text("progress.which"), list(codes), format_func=codes.__getitem__, key=f"w{key}"
        )
        reason = st.text_input(desk.text("signing.reason"), key=f"why{key}")
        if st.button(desk.text("progress.withdraw"), key=f"do{key}", disabled=not reason.strip()):
            store, actor = desk.station.store, desk.actor
            act(desk, lambda: assigning.withdraw(store, actor, which, reason))


def _discordances(desk: Desk) -> None:
    found = overview.discordances(desk.station.store, desk.actor)
    if not found:
        return
    st.subheader(desk.text("progress.differ"))
    heads = [desk.text(f"progress.{name}") for name in ("case", "visit", "what", "state")]
    rows = [
        (d.case_id, d.visit, ", ".join(named(desk, name) for name in d.differing), _state(desk, d))
        for d in found
    ]
    st.table([dict(zip(heads, row, strict=True)) for row in rows], hide_index=True)


def _state(desk: Desk, discordance: Discordance) -> str:
    return desk.text("progress.decided" if discordance.decided else "progress.waiting")
