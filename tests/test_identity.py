"""Signing in at an identity provider: a real one on loopback, a real browser between."""

import pytest
from browser_station import WAIT_MS, free_port, running
from identity_provider import CLIENT, SUBJECT, providing
from playwright.sync_api import expect

from readers import accounts
from readers.actor import SYSTEM, Role
from readers.store import open_store


@pytest.fixture(scope="module")
def issuer():
    with providing(free_port()) as address:
        yield address


@pytest.fixture(scope="module")
def station(issuer, tmp_path_factory):
    folder, port = tmp_path_factory.mktemp("identity"), free_port()
    config = folder / "graftsite.toml"
    config.write_text(
        f"""[server]
port = {port}
[storage]
data = "data"
[sign_in]
client_id = "{CLIENT}"
client_secret = "secret"
metadata_url = "{issuer}/.well-known/openid-configuration"
redirect_uri = "http://127.0.0.1:{port}/oauth2callback"
cookie_secret = "{"c" * 64}"
""",
        encoding="utf-8",
    )
    with running(folder / "data", "--config", config, port=port) as started:
        yield started


def test_a_person_whose_identity_is_mapped_signs_in_and_nobody_else(chromium, station, issuer):
    store = open_store(f"sqlite:///{station.data / 'reads.sqlite'}")
    accounts.create(store, SYSTEM, "eve", "Eve", Role.READER)
    context = chromium.new_context(locale="en-GB")
    page = context.new_page()
    page.set_default_timeout(WAIT_MS)
    page.goto(station.url)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_text("No open account belongs to this identity")).to_be_visible()
    accounts.map_identity(store, SYSTEM, "eve", f"{issuer}|{SUBJECT}")
    store.close()
    page.reload()
    expect(page.get_by_text("Nothing is waiting to be read")).to_be_visible()
    expect(page.get_by_text("Eve · reader")).to_be_visible()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()
    context.close()
