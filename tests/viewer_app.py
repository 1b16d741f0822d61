"""A small real application round the viewer, started by tests and the benchmark as a process."""

from __future__ import annotations

import os
from pathlib import Path

import streamlit as st

from surveillance.ui.viewer import viewer_middleware, viewer_routes

app = st.App(
    Path(__file__).with_name("viewer_page.py"),
    routes=viewer_routes(),
    middleware=viewer_middleware(),
)

if __name__ == "__main__":
    app.run(
        config={
            "server.port": int(os.environ["PORT"]),
            "server.address": "127.0.0.1",
            "server.headless": True,
            "server.fileWatcherType": "none",
            "browser.gatherUsageStats": False,
            "theme.base": os.environ.get("THEME", "light"),
            "client.toolbarMode": "minimal",
        }
    )
