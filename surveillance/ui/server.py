"""Server: the reading application as one ASGI application, and the process that serves it."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Any

import streamlit as st
from starlette.middleware import Middleware

from imaging.protocol import load_protocol
from surveillance.configuration import Server, SignIn, load_configuration
from surveillance.station import Station, open_station
from surveillance.ui.gate import Gate
from surveillance.ui.running import put_down
from surveillance.ui.sign_in import sign_in_routes
from surveillance.ui.viewer import viewer_middleware, viewer_routes

_SCRIPT = Path(__file__).with_name("script.py")


def reading_app(station: Station) -> st.App:
    """Return the application of a station; one a process."""
    put_down(station)
    sign_in = station.configuration.sign_in
    gate = [] if sign_in.by_identity else [Middleware(Gate, store=station.store)]
    return st.App(
        _SCRIPT,
        routes=[*sign_in_routes(station), *viewer_routes()],
        middleware=[*gate, *viewer_middleware()],
        secrets=_secrets(sign_in),
    )


def configured_app() -> st.App:
    """Return the application of the configuration file that GRAFTSITE_CONFIG names.

    For an operator's own ASGI server, which then speaks TLS and chooses address and port.
    Streamlit's settings come from its own configuration.
    """
    named = os.environ.get("GRAFTSITE_CONFIG")
    configuration = load_configuration(Path(named) if named else None)
    return reading_app(open_station(configuration, load_protocol()))


def serve(station: Station) -> None:
    """Serve until interrupted."""
    # Streamlit would tell that settings changed and ask for a restart: they were ours.
    logging.getLogger("streamlit.config").disabled = True
    reading_app(station).run(config=_settings(station.configuration.server))


def _secrets(sign_in: SignIn) -> dict[str, Any] | None:
    """Return what `st.login` needs, under its own names."""
    if not sign_in.by_identity:
        return None
    given = sign_in.model_dump()
    given["server_metadata_url"] = given.pop("metadata_url")
    return {"auth": given}


def _settings(server: Server) -> dict[str, object]:
    tls = {"server.sslCertFile": str(server.certificate), "server.sslKeyFile": str(server.key)}
    return {
        "server.address": server.address,
        "server.port": server.port,
        "server.headless": True,
        "server.fileWatcherType": "none",
        "server.disconnectedSessionTTL": 600,
        "browser.gatherUsageStats": False,
        "client.toolbarMode": "minimal",
        "client.showErrorDetails": "none",
        "theme.primaryColor": "#1f5fc4",
        "theme.baseRadius": "4px",
        "theme.dark.primaryColor": "#6aa5ff",
        "logger.level": "error",
        "logger.hideWelcomeMessage": True,
        **(tls if server.certificate else {}),
    }
