"""Gate: nobody who is not signed in gets as far as a page, its WebSocket or its script."""

from __future__ import annotations

import hashlib

from starlette.concurrency import run_in_threadpool
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse, RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocketClose

from readers import sessions
from readers.errors import SessionError
from readers.store import Store
from surveillance.ui.viewer.routes import route_url

SESSION_COOKIE = "graftsite_session"
_OPEN = (
    "sign-in", "sign-out", "language", "_stcore/health", "_stcore/bidi-components/", "static/",
    "favicon.png", "graft/",
)  # fmt: skip
"""Without a session: signing in, the program's own files, and voxels, which ask for a token."""
_POLICY_VIOLATION = 1008


def session_name(token: str) -> str:
    """Return a name for a session that does not open it."""
    return hashlib.sha256(token.encode("utf-8")).hexdigest()[:32]


class Gate:
    """Middleware in front of everything, where people sign in with passwords."""

    def __init__(self, app: ASGIApp, store: Store) -> None:
        self._app, self._store = app, store

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or send who asks to the sign-in page."""
        open_ = scope["type"] == "lifespan" or scope["path"].startswith(
            tuple(route_url(path) for path in _OPEN)
        )
        if open_ or await run_in_threadpool(self._signed_in, HTTPConnection(scope)):
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await WebSocketClose(_POLICY_VIOLATION)(scope, receive, send)
        elif scope["method"] == "GET" and "text/html" in HTTPConnection(scope).headers.get(
            "accept", ""
        ):
            await RedirectResponse(route_url("sign-in"), 303)(scope, receive, send)
        else:
            await PlainTextResponse("", 401)(scope, receive, send)

    def _signed_in(self, connection: HTTPConnection) -> bool:
        try:
            sessions.resume(self._store, connection.cookies.get(SESSION_COOKIE, ""))
        except SessionError:
            return False
        return True
