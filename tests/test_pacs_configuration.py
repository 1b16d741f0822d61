"""The configuration of archives: exactly its keys, no secret in it; and how patient a retry is."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imaging.errors import ConfigurationError, NodeError, TransferError, UsageError
from surveillance.pacs.configuration import ClientTls, RetryPolicy, ServerTls, load_configuration
from surveillance.pacs.connection import node_named
from surveillance.pacs.retry import Retry
from surveillance.pacs.secret import Secret
from surveillance.pacs.tls import client_context, server_context

GOOD = """
[local]
ae_title = "GRAFTSITE"

[retry]
attempts = 3
first_wait_s = 1
longest_wait_s = 60

[nodes.pacs]
kind = "dimse"
host = "pacs.example"
port = 104
ae_title = "PACS"
timeout_s = 30
retrieve = "get"

[nodes.web]
kind = "dicomweb"
url = "https://pacs.example/dicom-web"
timeout_s = 30
auth = { user = "reader", password = { env = "PACS_PASSWORD" } }
"""
LISTEN = """
[listen]
folder = "in"
output = "out"
quiet_s = 60
longest_wait_s = 600
"""
RECEIVER = """
[local.receiver]
bind = "127.0.0.1"
port = 11112
callers = ["PACS"]
"""


def loaded(tmp_path, text):
    path = tmp_path / "graftsite.toml"
    path.write_text(text)
    return load_configuration(path)


def test_a_complete_file_is_loaded(tmp_path):
    configuration = loaded(tmp_path, GOOD + RECEIVER + LISTEN)
    assert configuration.address_of("pacs").port == 104
    assert configuration.listen.quiet_s == 60


def test_the_file_that_the_documentation_shows_is_a_good_one(tmp_path):
    page = (Path(__file__).parents[1] / "docs/pacs.md").read_text(encoding="utf-8")
    example = page.split("```toml\n")[1].split("```")[0]
    assert set(loaded(tmp_path, example).nodes) == {"pacs", "web"}


@pytest.mark.parametrize(
    ("old", "new", "where"),
    [
        ("attempts = 3", "", "retry.attempts: Field required"),
        ("attempts = 3", "attempts = 0", "retry.attempts"),
        ("attempts = 3", 'attempts = "3"', "retry.attempts"),
        ("port = 104", "port = 104\nprot = 1", "nodes.pacs.dimse.prot: Extra inputs"),
        ("port = 104", "port = 70000", "nodes.pacs.dimse.port"),
        ('kind = "dimse"', 'kind = "ftp"', "nodes.pacs"),
        ('ae_title = "PACS"', 'ae_title = "A TITLE THAT IS TOO LONG"', "nodes.pacs.dimse.ae_title"),
        ('ae_title = "PACS"', 'ae_title = "   "', "nodes.pacs.dimse.ae_title"),
        ('retrieve = "get"', 'retrieve = "move"', "need the table [local.receiver]"),
        ("https://pacs.example", "http://pacs.example", "would travel unencrypted"),
        ("https://pacs.example", "https://reader:secret@pacs.example", "must not hold a password"),
        ("https://pacs.example", "pacs.example", "must begin with https://"),
        ('{ env = "PACS_PASSWORD" }', '"hunter2"', "nodes.web.dicomweb.auth.BasicAuth.password"),
        ('{ env = "PACS_PASSWORD" }', "{}", "exactly one of env and file"),
        ('env = "PACS_PASSWORD"', 'env = "A", file = "b"', "exactly one of env and file"),
    ],
)
def test_a_key_that_is_unknown_missing_or_wrong_is_named_and_its_value_is_not(
    tmp_path, old, new, where
):
    assert old in GOOD
    with pytest.raises(ConfigurationError) as caught:
        loaded(tmp_path, GOOD.replace(old, new))
    assert where in str(caught.value)
    assert "hunter2" not in str(caught.value)
    assert "secret@" not in str(caught.value)


@pytest.mark.parametrize(
    ("more", "where"),
    [
        (LISTEN, "need the table [local.receiver]"),
        (RECEIVER.replace('["PACS"]', "[]") + LISTEN, "local.receiver.callers"),
        (RECEIVER + LISTEN + 'send_to = "nowhere"', "names node nowhere"),
    ],
)
def test_listening_needs_a_place_callers_and_known_nodes(tmp_path, more, where):
    with pytest.raises(ConfigurationError) as caught:
        loaded(tmp_path, GOOD + more)
    assert where in str(caught.value)


def test_tls_for_a_url_that_has_none_is_a_contradiction(tmp_path):
    text = GOOD.replace("https://pacs.example", "http://localhost") + 'tls = { ca_file = "ca.pem" }'
    with pytest.raises(ConfigurationError, match="tls needs an https url"):
        loaded(tmp_path, text)


def test_a_file_that_is_absent_or_no_toml_is_named(tmp_path):
    with pytest.raises(ConfigurationError, match="cannot be read"):
        load_configuration(tmp_path / "absent.toml")
    with pytest.raises(ConfigurationError, match="not valid TOML"):
        loaded(tmp_path, "[local")


def test_a_node_that_is_not_configured_is_a_usage_error_that_names_those_that_are(tmp_path):
    with pytest.raises(UsageError, match="no node paks in the configuration; there are: pacs, web"):
        node_named("paks", loaded(tmp_path, GOOD))


def test_a_secret_comes_from_a_variable_or_the_first_line_of_a_file(tmp_path, monkeypatch):
    monkeypatch.setenv("PACS_PASSWORD", "one")
    (tmp_path / "password").write_bytes(b"two\r\nand a remark")
    assert Secret(env="PACS_PASSWORD").reveal() == "one"
    assert Secret(file=tmp_path / "password").reveal() == "two"


def test_an_absent_secret_names_its_place(tmp_path, monkeypatch):
    monkeypatch.delenv("PACS_PASSWORD", raising=False)
    (tmp_path / "empty").touch()
    places = [Secret(env="PACS_PASSWORD"), *(Secret(file=tmp_path / n) for n in ("empty", "none"))]
    for secret in places:
        with pytest.raises(ConfigurationError, match="no password in") as caught:
            secret.reveal()
        assert str(secret.env or secret.file) in str(caught.value)


def test_certificates_that_cannot_be_read_are_named(tmp_path):
    absent = tmp_path / "absent.pem"
    (tmp_path / "text.pem").write_text("no certificate")
    for file in (absent, tmp_path / "text.pem"):
        with pytest.raises(ConfigurationError, match=str(file)):
            client_context(ClientTls(ca_file=file))
        with pytest.raises(ConfigurationError, match=str(file)):
            server_context(ServerTls(certificate_file=file, key_file=file))


def retrying(attempts, first=1.0, longest=60.0):
    waits = []
    policy = RetryPolicy(attempts=attempts, first_wait_s=first, longest_wait_s=longest)
    return Retry(policy, waits.append, lambda _: None), waits


def broken():
    raise TransferError("node_silent", node="pacs")


def test_waits_double_up_to_the_longest_and_then_it_is_given_up():
    retry, waits = retrying(attempts=6, first=1.0, longest=5.0)
    with pytest.raises(TransferError):
        retry.until_done(broken)
    assert waits == [1.0, 2.0, 4.0, 5.0, 5.0]


def test_progress_begins_the_count_anew():
    """Each of ten attempts moves one image and then breaks off: two in a row are allowed."""
    retry, waits = retrying(attempts=2)
    moved = []

    def attempt():
        moved.append(1)
        if len(moved) < 10:
            broken()
        return "done"

    assert retry.until_done(attempt, lambda: len(moved)) == "done"
    assert waits == [1.0] * 9


def test_a_refusal_is_not_tried_again():
    retry, waits = retrying(attempts=5)

    def refuse():
        raise NodeError("node_rejected", node="pacs", reason="unknown")

    with pytest.raises(NodeError):
        retry.until_done(refuse)
    assert waits == []


@given(st.integers(1, 10**6))
def test_no_wait_is_longer_than_the_longest(failures):
    retry, _ = retrying(attempts=1, first=0.5, longest=60.0)
    assert 0.5 <= retry.wait_s(failures) <= 60.0
