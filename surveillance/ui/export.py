"""The coordinator's export: every signed answer, with a dictionary of what each column means."""

from __future__ import annotations

import io
import zipfile

import streamlit as st

from readers.read_export import export_reads
from surveillance.ui.desk import Desk
from surveillance.ui.reports import subject_reports
from surveillance.ui.shell import bar, page


def draw(desk: Desk) -> None:
    """Draw the page; the files are made when they are asked for, and that is logged."""
    bar(desk, desk.text("page.export"))
    with page():
        st.text(desk.text("export.about"))
        if st.button(desk.text("export.make"), type="primary"):
            st.session_state["export"] = _zipped(export_reads(desk.station.store))
        made = st.session_state.get("export")
        if made is not None:
            file = (made, "graftsite-reads.zip", "application/zip")
            # A download that runs the page again may lose its own file to that run.
            st.download_button(desk.text("export.download"), *file, on_click="ignore")
        subject_reports(desk)


def _zipped(files: dict[str, str]) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return held.getvalue()
