"""The coordinator's dashboard: how far readers agree with each other, themselves, the program."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from imaging.measurement import Measurement
from readers import audit
from readers.agreement.report import Masks, Nominal, Report, Size, masks, report
from readers.form import load_form, versions
from surveillance.ui.desk import Desk
from surveillance.ui.shell import bar, page

_COEFFICIENTS = ("percent", "cohen", "fleiss", "ac1", "alpha")


def draw(desk: Desk) -> None:
    """Draw the page."""
    bar(desk, desk.text("page.agreement"))
    with page():
        found = _report(desk)
        st.subheader(desk.text("agreement_page.between"))
        _nominal(desk, found.between)
        _sizes(desk, found.between_sizes)
        _masks(desk, masks(desk.station.store, desk.actor))
        _performance(desk, found)
        for heading, groups in (("within", found.within), ("machine", found.machine)):
            for reader, rows in groups.items():
                if any(row.pairs for row in rows):
                    st.subheader(desk.text(f"agreement_page.{heading}", reader=reader))
                    _nominal(desk, rows)


def _report(desk: Desk) -> Report:
    """Return the figures, computed again only when something was signed since."""
    store = desk.station.store
    with store.reading() as connection:
        entries = audit.head(connection)[0]
    known: tuple[int, Report] | None = st.session_state.get("agreement")
    if known is None or known[0] != entries:
        with st.spinner(desk.text("agreement_page.computing")):
            known = (entries, report(store, desk.actor))
        st.session_state["agreement"] = known
    return known[1]


def _nominal(desk: Desk, rows: Sequence[Nominal]) -> None:
    shown = [row for row in rows if row.pairs]
    if not shown:
        st.info(desk.text("agreement_page.no_pairs"))
        return
    table = [
        {
            desk.text("agreement_page.what"): _name(desk, row.name),
            desk.text("agreement_page.pairs"): row.pairs,
            **{
                desk.text(f"agreement_page.{name}"): _told(getattr(row, name))
                for name in _COEFFICIENTS
            },
        }
        for row in shown
    ]
    st.table(table, hide_index=True)
    figures = (getattr(row, name).reason for row in shown for name in _COEFFICIENTS)
    for reason in dict.fromkeys(reason for reason in figures if reason):
        st.caption(f"– {reason}")


def _name(desk: Desk, name: str) -> str:
    form = load_form(versions()[-1])
    if name in form.endpoints:
        return desk.text(f"machine.{name}")
    return desk.words(form.question(name).label)


def _told(measurement: Measurement) -> str:
    if measurement.value is None:
        return "–"
    value = f"{measurement.value:.2f}"
    if measurement.ci95 is None:
        return value
    low, high = measurement.ci95
    return f"{value} [{low:.2f}, {high:.2f}]"


def _sizes(desk: Desk, rows: Sequence[Size]) -> None:
    shown = [row for row in rows if row.pairs]
    if not shown:
        return
    table = [
        {
            desk.text("agreement_page.what"): _name(desk, row.name),
            desk.text("agreement_page.pairs"): row.pairs,
            desk.text("agreement_page.icc"): _told(row.icc),
            desk.text("agreement_page.bias"): _told(row.limits.bias),
            desk.text("agreement_page.limits"): f"{_told(row.limits.lower)} … "
            f"{_told(row.limits.upper)}",
        }
        for row in shown
    ]
    st.table(table, hide_index=True)


def _masks(desk: Desk, found: Sequence[Masks]) -> None:
    if not found:
        return
    table = [
        {
            desk.text("agreement_page.case"): each.case_id,
            desk.text("agreement_page.visit"): each.visit,
            "Dice": f"{each.overlap.dice:.2f}",
            "HD95 (mm)": f"{each.overlap.hausdorff95_mm:.1f}",
        }
        for each in found
    ]
    st.table(table, hide_index=True)


def _performance(desk: Desk, found: Report) -> None:
    if not found.performance:
        return
    st.subheader(desk.text("agreement_page.readers"))
    names = ("adjudication_rate", "disagreement_index", "read_minutes", "changed_mind")
    table = [
        {
            desk.text("agreement_page.reader"): each.reader,
            desk.text("agreement_page.visits"): each.visits,
            **{desk.text(f"agreement_page.{n}"): _told(getattr(each, n)) for n in names},
        }
        for each in found.performance
    ]
    st.table(table, hide_index=True)
    _drift(desk, found)


def _drift(desk: Desk, found: Report) -> None:
    """Chart the share of agreement in the order of reading, a line a reader."""
    names = [desk.text(f"agreement_page.{n}") for n in ("reads", "share", "reader")]
    points = [
        dict(zip(names, (point.last, point.agreement.value, each.reader), strict=True))
        for each in found.performance
        for point in each.drift
    ]
    if points:
        st.caption(desk.text("agreement_page.drift"))
        reads, share, reader = names
        st.line_chart(points, x=reads, y=share, color=reader, height=220)
