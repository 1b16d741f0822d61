"""The reading application for an ASGI server, `uvicorn app:app`; GRAFTSITE_CONFIG configures it."""

from surveillance.ui.server import configured_app

app = configured_app()
