"""Signing in over HTTP: a cookie no script can read, and nothing behind the gate without one."""

import http.client
import threading
import time
from contextlib import closing
from urllib.parse import urlencode

import pytest
import uvicorn
from browser_station import free_port
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute

from readers import accounts
from readers.account_policy import AccountPolicy
from readers.actor import SYSTEM, Role
from readers.store import open_store
from surveillance.configuration import Configuration
from surveillance.ui.gate import Gate
from surveillance.ui.sign_in import sign_in_routes

CHEAP = AccountPolicy(argon2_time=1, argon2_memory_kib=8, argon2_lanes=1)


class Station:
    configuration = Configuration()

    def __init__(self, store):
        self.store = store


async def secret(_request):
    return PlainTextResponse("behind the gate")


async def talk(websocket):
    await websocket.accept()
    await websocket.close()


@pytest.fixture()
def station(tmp_path):
    store = open_store(f"sqlite:///{tmp_path / 'reads.sqlite'}", policy=CHEAP)
    yield Station(store)
    store.close()


@pytest.fixture()
def password(station):
    """The one-time password of `eve`."""
    return accounts.create(station.store, SYSTEM, "eve", "Eve", Role.READER)


@pytest.fixture()
def server(station):
    routes = [
        *sign_in_routes(station),
        Route("/worklist", secret, methods=["GET", "POST"]),
        Route("/static/program.js", secret),
        WebSocketRoute("/_stcore/stream", talk),
    ]
    app = Starlette(routes=routes, middleware=[Middleware(Gate, store=station.store)])
    port = free_port()
    serving = uvicorn.Server(uvicorn.Config(app, port=port, log_level="critical", lifespan="off"))
    thread = threading.Thread(target=serving.run)
    thread.start()
    while not serving.started:
        time.sleep(0.01)
    yield port
    serving.should_exit = True
    thread.join()


def ask(port, path, form=None, **headers):
    """Return (status, headers, body); a form is posted."""
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=30)) as connection:
        given = {"Accept": "text/html", **{k.replace("_", "-"): v for k, v in headers.items()}}
        if form is None:
            connection.request("GET", path, headers=given)
        else:
            given["Content-Type"] = "application/x-www-form-urlencoded"
            connection.request("POST", path, urlencode(form), given)
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read().decode("utf-8")


def signed_in(port, password, name="eve"):
    status, headers, body = ask(port, "/sign-in", {"name": name, "password": password})
    return status, (headers["Set-Cookie"] or "").partition(";")[0], headers, body


def own_password(port, password, new="a long password of eve"):
    """Sign in with the one-time password and choose one's own; return the cookie."""
    _, cookie, _, body = signed_in(port, password)
    assert "new password" in body
    form = {"old": password, "new": new, "again": new}
    status, _, _ = ask(port, "/sign-in/password", form, Cookie=cookie)
    assert status == 303
    return cookie


def test_without_a_session_pages_lead_to_the_sign_in_and_the_rest_is_closed(server):
    status, headers, _ = ask(server, "/worklist")
    assert (status, headers["Location"]) == (303, "/sign-in")
    assert ask(server, "/worklist", Accept="application/json")[0] == 401
    assert ask(server, "/worklist", {"x": 1})[0] == 401
    assert ask(server, "/worklist", Cookie="graftsite_session=forged")[0] == 303
    assert ask(server, "/static/program.js")[2] == "behind the gate"
    upgrade = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec_WebSocket_Version": "13",
               "Sec_WebSocket_Key": "AAAAAAAAAAAAAAAAAAAAAA=="}  # fmt: skip
    assert ask(server, "/_stcore/stream", **upgrade)[0] == 403


def test_a_session_is_a_cookie_that_scripts_and_other_sites_cannot_use(server, password):
    cookie = own_password(server, password)
    _, _, headers, _ = signed_in(server, "a long password of eve")
    assert "HttpOnly" in headers["Set-Cookie"]
    assert "SameSite=strict" in headers["Set-Cookie"]
    assert ask(server, "/worklist", Cookie=cookie)[2] == "behind the gate"


@pytest.mark.usefixtures("password")
def test_a_wrong_password_is_told_without_saying_which_was_wrong(server):
    status, cookie, headers, body = signed_in(server, "not it")
    _, _, _, unknown = signed_in(server, "not it", "nobody")
    assert (status, cookie) == (401, "")
    assert "wrong" in body
    assert body.replace("eve", "") == unknown.replace("nobody", "")
    assert headers["Cache-Control"] == "no-store"


def test_what_is_typed_as_a_name_is_shown_and_never_run(server):
    _, _, _, body = signed_in(server, "x", '"><script>alert(1)</script>')
    assert "<script>" not in body
    assert "&lt;script&gt;" in body


def test_a_one_time_password_is_changed_before_anything_else(server, password):
    _, cookie, _, _ = signed_in(server, password)
    form = {"old": password, "new": "a long enough one", "again": "another one"}
    status, _, body = ask(server, "/sign-in/password", form, Cookie=cookie)
    assert status == 400
    assert "not the same" in body
    form["again"] = form["new"] = "short"
    status, _, body = ask(server, "/sign-in/password", form, Cookie=cookie)
    assert status == 400
    assert "12" in body
    status, headers, _ = ask(server, "/sign-in/password", form)
    assert (status, headers["Location"]) == (303, "/sign-in")


@pytest.mark.parametrize("path", ["/sign-in", "/sign-in/password"])
def test_a_form_from_another_site_or_of_no_size_is_not_believed(server, password, path):
    form = {"name": "eve", "password": password}
    assert ask(server, path, form, Origin="https://elsewhere.example")[0] == 400
    assert ask(server, path, {"name": "x" * 20_000})[0] == 400


def test_signing_out_ends_the_session_and_takes_the_cookie_back(server, password):
    cookie = own_password(server, password)
    status, headers, _ = ask(server, "/sign-out", Cookie=cookie)
    assert (status, headers["Location"]) == (303, "/sign-in")
    assert 'graftsite_session=""' in headers["Set-Cookie"]
    assert ask(server, "/worklist", Cookie=cookie)[0] == 303


@pytest.mark.parametrize(
    ("headers", "word"),
    [
        ({}, "Password"),
        ({"Accept_Language": "zh-CN,zh;q=0.9"}, "密码"),
        ({"Accept_Language": "zh-CN", "Cookie": "graftsite_language=en"}, "Password"),
        ({"Cookie": "graftsite_language=zh"}, "密码"),
    ],
)
def test_the_page_speaks_as_the_cookie_says_else_as_the_browser_prefers(server, headers, word):
    assert word in ask(server, "/sign-in", **headers)[2]


def test_choosing_a_language_leads_back_to_the_page_and_never_elsewhere(server):
    came = "https://elsewhere.example//evil.example/reading?case=1&visit=M3"
    status, headers, _ = ask(server, "/language/zh", Referer=came)
    assert (status, headers["Location"]) == (303, "/evil.example/reading?case=1&visit=M3")
    assert headers["Set-Cookie"].startswith("graftsite_language=zh")
