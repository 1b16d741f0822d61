"""The viewer's URLs over real HTTP."""

import gzip
import http.client
import socket
import threading
import zlib

import numpy as np
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.responses import HTMLResponse, PlainTextResponse
from starlette.routing import Route
from viewer_scenes import axial

from imaging.volume import Mask, Volume
from surveillance.ui.viewer import viewer_middleware, viewer_routes
from surveillance.ui.viewer.bits import packed
from surveillance.ui.viewer.routes import BROWSER_COOKIE
from surveillance.ui.viewer.tokens import TokenOffice
from surveillance.ui.viewer.voxels import ServedMask, ServedVolume

GRID = axial((4, 3, 2), (1, 1, 1))
VOLUME = ServedVolume(Volume(np.arange(24, dtype=np.float32).reshape(4, 3, 2), GRID))
MASK = ServedMask(Mask(np.eye(4, 3, dtype=bool)[..., None].repeat(2, 2), GRID))


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


class Site:
    """A server with the viewer's routes and two pages, and a browser's way of asking."""

    def __init__(self):
        self.clock = Clock()
        self.office = TokenOffice(600.0, self.clock)
        page = Route("/", lambda _: HTMLResponse("<p>"))
        text = Route("/text", lambda _: PlainTextResponse("x"))
        routes = [*viewer_routes(self.office), page, text]
        app = Starlette(routes=routes, middleware=viewer_middleware())
        listening = socket.socket()
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        self.port = listening.getsockname()[1]
        self.server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off"))
        self.thread = threading.Thread(target=self.server.run, args=([listening],))
        self.thread.start()

    def ask(self, path, *, cookie="alice", method="GET", body=None, headers=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        sent = dict(headers or {})
        if cookie:
            sent["Cookie"] = f"{BROWSER_COOKIE}={cookie}"
        connection.request(method, path, body, sent)
        response = connection.getresponse()
        answer = response.status, response.read(), response.headers
        connection.close()
        return answer

    def issue(self, content, session="s", browser="alice"):
        kind = "volume" if isinstance(content, ServedVolume) else "mask"
        return f"/graft/{kind}/{self.office.issue(content, session, browser)}"


@pytest.fixture(scope="module")
def server():
    site = Site()
    yield site
    site.server.should_exit = True
    site.thread.join()


@pytest.fixture()
def site(server):
    server.office.forget("s")
    return server


def test_a_volume_arrives_as_the_array_it_is(site):
    status, body, headers = site.ask(site.issue(VOLUME))
    assert status == 200
    voxels = np.frombuffer(gzip.decompress(body), "<i2").reshape((4, 3, 2), order="F")
    assert (voxels == VOLUME.volume.array).all()
    assert headers["Content-Encoding"] == "gzip"
    assert headers["Cache-Control"] == "no-store"


def test_a_mask_arrives_bit_for_bit(site):
    status, body, _ = site.ask(site.issue(MASK))
    assert (status, gzip.decompress(body)) == (200, packed(MASK.mask))


def refused(answer):
    """Every refusal is the same: nothing tells why."""
    status, body, headers = answer
    headers = {name.lower() for name in headers} - {"date", "server"}
    return status, body, headers


def test_all_refusals_are_alike(site):
    url, mask_url = site.issue(VOLUME), site.issue(MASK)
    stranger = refused(site.ask("/graft/volume/AAAAAAAAAAAAAAAAAAAAAA"))
    assert stranger[:2] == (404, b"")
    assert refused(site.ask(url, cookie="mallory")) == stranger
    assert refused(site.ask(url, cookie=None)) == stranger
    assert refused(site.ask(url + "?slab=1")) == stranger
    assert refused(site.ask(mask_url + "?slab=1")) == stranger
    assert refused(site.ask(mask_url.replace("mask", "volume"))) == stranger
    assert refused(site.ask(url.replace("volume", "mask"))) == stranger
    assert refused(site.ask(mask_url, cookie="mallory", method="POST", body=b"x")) == stranger
    assert refused(site.ask(url.replace("volume", "mask"), method="POST", body=b"x")) == stranger
    site.clock.now += 601
    assert refused(site.ask(url)) == stranger


@pytest.mark.parametrize("slab", ["-1", "x", "", "0x0", "1e3", "²", "99999999999999999999999"])
def test_a_slab_that_is_none_is_refused(site, slab):
    url = site.issue(VOLUME) + f"?slab={slab}".replace("²", "%C2%B2")
    assert site.ask(url)[0] == 404


def test_signing_out_closes_the_urls(site):
    url = site.issue(VOLUME)
    assert site.ask(url)[0] == 200
    site.office.forget("s")
    assert site.ask(url)[0] == 404


def test_a_large_edit_is_kept_for_its_receipt(site):
    edit = Mask(np.ones(GRID.shape, bool), GRID)
    status, receipt, _ = site.ask(site.issue(MASK), method="POST", body=zlib.compress(packed(edit)))
    assert status == 200
    assert MASK.collect(receipt.decode()).voxels == 24


@pytest.mark.parametrize(
    "body", [b"", b"noise", zlib.compress(bytes(2)), zlib.compress(bytes(50_000))]
)
def test_a_forged_edit_is_refused_with_the_reason(site, body):
    status, reason, _ = site.ask(site.issue(MASK), method="POST", body=body)
    assert status == 400
    assert b"not saved" in reason


def test_an_edit_that_is_far_too_long_is_not_read_to_its_end(site):
    status, reason, _ = site.ask(site.issue(MASK), method="POST", body=bytes(10_000_000))
    assert (status, reason) == (413, b"")


def test_a_page_gives_a_browser_its_cookie_once(site):
    _, _, headers = site.ask("/", cookie=None)
    cookie = headers["Set-Cookie"]
    assert cookie.startswith(f"{BROWSER_COOKIE}=")
    assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= set(cookie.split("; "))
    assert "Secure" not in cookie  # plain HTTP here
    assert site.ask("/")[2]["Set-Cookie"] is None
    assert site.ask("/text", cookie=None)[2]["Set-Cookie"] is None


def test_two_browsers_get_two_cookies(site):
    assert (
        site.ask("/", cookie=None)[2]["Set-Cookie"] != site.ask("/", cookie=None)[2]["Set-Cookie"]
    )
