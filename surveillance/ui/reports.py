"""The coordinator's reports: one subject's as HTML and PDF, made when it is asked for."""

from __future__ import annotations

import streamlit as st

from surveillance.locked_reads import LockedReads
from surveillance.render.page import Document, Look
from surveillance.reporting import document_of_case
from surveillance.ui.desk import Desk


def subject_reports(desk: Desk) -> None:
    """Draw the choice of a subject, and the downloads once the report is made."""
    subjects = desk.station.library.subjects
    if not subjects:
        return
    st.subheader(desk.text("export.report"))
    subject = st.selectbox(desk.text("export.subject"), subjects, key="report-subject")
    if st.button(desk.text("export.make_report"), key="make-report") and subject:
        with st.spinner(desk.text("export.making")):
            st.session_state["report"] = (subject, _made(desk, subject))
    name, made = st.session_state.get("report", ("", None))
    if made is not None and name == subject:
        label = desk.text("export.download")
        pdf = (made.pdf, f"{name}.pdf", "application/pdf")
        html = (made.html, f"{name}.html", "text/html")
        st.download_button(f"{label} PDF", *pdf, on_click="ignore")
        st.download_button(f"{label} HTML", *html, on_click="ignore")


def _made(desk: Desk, subject: str) -> Document:
    case = desk.station.library.newest(subject)
    return document_of_case(case, LockedReads(desk.station.store), Look(desk.language))
