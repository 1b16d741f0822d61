"""Routes: voxels out and masks in, each by an expiring URL of one session and one array.

Every refusal is the same empty 404: it does not tell an expired token from one that never was.
"""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable

import streamlit as st
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.middleware import Middleware
from starlette.requests import HTTPConnection, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from imaging.errors import MaskError
from surveillance.ui.viewer.tokens import Content, TokenOffice, process_office
from surveillance.ui.viewer.voxels import ServedMask, ServedVolume

BROWSER_COOKIE = "graftsite_browser"
_GUARDED = {
    "Cache-Control": "no-store",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}
Endpoint = Callable[[Request], Awaitable[Response]]


def route_url(path: str) -> str:
    """Return a path below the application's base path."""
    base = str(st.get_option("server.baseUrlPath") or "").strip("/")
    return f"/{base}/{path}" if base else f"/{path}"


def viewer_routes(office: TokenOffice | None = None) -> list[Route]:
    """Return the HTTP routes that `st.App` must serve for the viewer."""
    counter = office or process_office()
    volume, mask = route_url("graft/volume/{token}"), route_url("graft/mask/{token}")
    return [
        Route(volume, _sending(counter, ServedVolume), methods=["GET"]),
        Route(mask, _sending(counter, ServedMask), methods=["GET"]),
        Route(mask, _receiving(counter), methods=["POST"]),
    ]


def viewer_middleware() -> list[Middleware]:
    """Return the middleware that gives each browser the cookie URLs are tied to."""
    return [Middleware(BrowserCookie)]


def _admitted(office: TokenOffice, request: Request) -> Content | None:
    return office.admit(request.path_params["token"], request.cookies.get(BROWSER_COOKIE, ""))


def _refusal() -> Response:
    return Response(status_code=404, headers=_GUARDED)


def _sending(office: TokenOffice, kind: type[Content]) -> Endpoint:
    async def send(request: Request) -> Response:
        content = _admitted(office, request)
        slab = request.query_params.get("slab", "0")
        if not isinstance(content, kind) or not (slab.isascii() and slab.isdigit()):
            return _refusal()
        # Compressing lets go of the interpreter: other readers' requests go on meanwhile.
        body = await run_in_threadpool(content.body, int(slab[:9]))
        if body is None:
            return _refusal()
        headers = _GUARDED | {"Content-Encoding": "gzip"}
        return Response(body, media_type="application/octet-stream", headers=headers)

    return send


def _receiving(office: TokenOffice) -> Endpoint:
    async def receive(request: Request) -> Response:
        content = _admitted(office, request)
        if not isinstance(content, ServedMask):
            return _refusal()
        # Deflate adds at most a few bytes a block to bits that do not compress.
        limit = len(content.bits) + len(content.bits) // 1000 + 100
        deflated = b""
        async for chunk in request.stream():
            deflated += chunk
            if len(deflated) > limit:
                return PlainTextResponse("", status_code=413, headers=_GUARDED)
        try:
            receipt = await run_in_threadpool(content.receive, deflated)
        except MaskError as error:
            return PlainTextResponse(str(error), status_code=400, headers=_GUARDED)
        return PlainTextResponse(receipt, headers=_GUARDED)

    return receive


class BrowserCookie:
    """Gives a browser that asks for a page a random cookie, readable by the server only.

    The page's script learns it from its WebSocket and issues URLs to it: a URL that leaks is
    worth nothing in another browser.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request, with a cookie where the browser brought none."""
        if scope["type"] != "http" or HTTPConnection(scope).cookies.get(BROWSER_COOKIE):
            await self._app(scope, receive, send)
            return
        secure = "; Secure" if scope.get("scheme") == "https" else ""
        cookie = (
            f"{BROWSER_COOKIE}={secrets.token_urlsafe(16)}; Path=/; HttpOnly; SameSite=Lax{secure}"
        )

        async def send_with_cookie(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                if headers.get("content-type", "").startswith("text/html"):
                    headers.append("Set-Cookie", cookie)
            await send(message)

        await self._app(scope, receive, send_with_cookie)
