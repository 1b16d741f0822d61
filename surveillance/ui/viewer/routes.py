"""Routes: voxels out and masks in, each by an expiring URL of one session and one array."""

from __future__ import annotations

from starlette.middleware import Middleware
from starlette.routing import Route


def viewer_routes() -> list[Route]:
    """Return the HTTP routes that `st.App` must serve for the viewer."""
    raise NotImplementedError


def viewer_middleware() -> list[Middleware]:
    """Return the middleware that gives each browser the cookie URLs are tied to."""
    raise NotImplementedError
