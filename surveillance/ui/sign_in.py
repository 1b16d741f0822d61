"""Signing in and out: plain pages outside Streamlit, so that the session's cookie is HttpOnly.

A browser keeps the cookie over a reload of the page and gives it to no script; SameSite keeps
other sites from using it, and a form posted from one of them is refused by its Origin.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from html import escape
from importlib.resources import files
from string import Template
from urllib.parse import urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from imaging.errors import GraftsiteError
from imaging.messages import text
from readers import accounts, sessions
from readers.errors import SessionError
from readers.sessions import SignedIn
from readers.store import Store
from surveillance.station import Station
from surveillance.ui.gate import SESSION_COOKIE, session_name
from surveillance.ui.language import LANGUAGE_COOKIE, language_of
from surveillance.ui.viewer import forget_session
from surveillance.ui.viewer.routes import route_url

_FORM_BYTES_MAX = 16_384
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; "
    "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
}
Endpoint = Callable[[Request], Awaitable[Response]]


def sign_in_routes(station: Station) -> list[Route]:
    """Return the routes of signing in, changing a one-time password, signing out, language.

    Where people sign in at an identity provider Streamlit has its own, and only language is left.
    """
    store = station.store
    if station.configuration.sign_in.by_identity:
        return [Route(route_url("language/{language}"), _speaking, methods=["GET"])]
    return [
        Route(route_url("sign-in"), _shown, methods=["GET"]),
        Route(route_url("sign-in"), _signing_in(store), methods=["POST"]),
        Route(route_url("sign-in/password"), _changing(store), methods=["POST"]),
        Route(route_url("sign-out"), _signing_out(store), methods=["GET"]),
        Route(route_url("language/{language}"), _speaking, methods=["GET"]),
    ]


async def _shown(request: Request) -> Response:
    return _page(request, _sign_in_form(language_of(request)))


def _signing_in(store: Store) -> Endpoint:
    async def answer(request: Request) -> Response:
        given = await _form(request)
        language = language_of(request)
        if given is None:
            return _page(request, _sign_in_form(language), status=400)
        try:
            signed_in = await run_in_threadpool(
                sessions.sign_in, store, given.get("name", ""), given.get("password", "")
            )
        except SessionError as error:
            form = _sign_in_form(language, name=given.get("name", ""))
            return _page(request, form, error.told(language), status=401)
        if signed_in.account.password_temporary:
            return _with_session(_page(request, _password_form(language)), request, signed_in)
        return _with_session(_home(), request, signed_in)

    return answer


def _changing(store: Store) -> Endpoint:
    async def answer(request: Request) -> Response:
        given = await _form(request)
        language = language_of(request)
        if given is None:
            return _page(request, _password_form(language), status=400)
        try:
            actor = await run_in_threadpool(
                sessions.resume, store, request.cookies.get(SESSION_COOKIE, "")
            )
            if given.get("new") != given.get("again"):
                message = text("sign_in.not_the_same", language)
                return _page(request, _password_form(language), message, status=400)
            await run_in_threadpool(
                accounts.change_password, store, actor, given.get("old", ""), given.get("new", "")
            )
        except SessionError:
            return RedirectResponse(route_url("sign-in"), 303)
        except GraftsiteError as error:
            return _page(request, _password_form(language), error.told(language), status=400)
        return _home()

    return answer


def _signing_out(store: Store) -> Endpoint:
    async def answer(request: Request) -> Response:
        token = request.cookies.get(SESSION_COOKIE, "")
        await run_in_threadpool(sessions.sign_out, store, token)
        forget_session(session_name(token))
        response = RedirectResponse(route_url("sign-in"), 303)
        response.delete_cookie(SESSION_COOKIE)
        return response

    return answer


async def _speaking(request: Request) -> Response:
    wanted = request.path_params["language"]
    came_from = urlsplit(request.headers.get("referer", ""))
    # Only path and query: a link on another site must not lead back to it.
    back = f"/{came_from.path.lstrip('/')}?{came_from.query}"
    response = RedirectResponse(back, 303)
    response.set_cookie(LANGUAGE_COOKIE, "zh" if wanted == "zh" else "en", 365 * 86_400)
    return response


async def _form(request: Request) -> Mapping[str, str] | None:
    """Return the fields of a form posted from our own page; None for any other."""
    origin = request.headers.get("origin")
    own = origin is None or urlsplit(origin).netloc == request.headers.get("host")
    if not own or int(request.headers.get("content-length") or _FORM_BYTES_MAX + 1) > (
        _FORM_BYTES_MAX
    ):
        return None
    return {name: value for name, value in (await request.form()).items() if isinstance(value, str)}


def _home() -> Response:
    return RedirectResponse(route_url(""), 303)


def _with_session(response: Response, request: Request, signed_in: SignedIn) -> Response:
    secure = request.url.scheme == "https"
    response.set_cookie(
        SESSION_COOKIE, signed_in.token, httponly=True, secure=secure, samesite="strict"
    )
    return response


def _page(request: Request, form: str, error: str = "", status: int = 200) -> Response:
    language = language_of(request)
    page = files("surveillance.ui").joinpath("sign_in.html").read_text("utf-8")
    other = "en" if language == "zh" else "zh"
    words = {
        "language": language,
        "title": text("sign_in.title", language),
        "note": text("sign_in.note", language),
        "error": f'<p class="error" role="alert">{escape(error)}</p>' if error else "",
        "form": form,
        "other_url": route_url(f"language/{other}"),
        "other": text("language.name", other),
        "other_code": other,
    }
    return HTMLResponse(Template(page).substitute(words), status, _HEADERS)


def _sign_in_form(language: str, name: str = "") -> str:
    fields = (
        _field("name", text("sign_in.name", language), "username", name),
        _field("password", text("sign_in.password", language), "current-password"),
    )
    button = text("sign_in.button", language)
    return _html_form(route_url("sign-in"), fields, button)


def _password_form(language: str) -> str:
    fields = (
        _field("old", text("sign_in.old", language), "current-password"),
        _field("new", text("sign_in.new", language), "new-password"),
        _field("again", text("sign_in.again", language), "new-password"),
    )
    button = text("sign_in.change", language)
    return _html_form(route_url("sign-in/password"), fields, button)


def _html_form(action: str, fields: tuple[str, ...], button: str) -> str:
    inside = "".join(fields)
    return f'<form method="post" action="{action}">{inside}<button>{escape(button)}</button></form>'


def _field(name: str, label: str, autocomplete: str, value: str = "") -> str:
    kind = "text" if autocomplete == "username" else "password"
    return (
        f'<label>{escape(label)}<input name="{name}" type="{kind}" value="{escape(value)}" '
        f'autocomplete="{autocomplete}" required></label>'
    )
