"""The operator's file says everything or is refused; nobody else is served by accident."""

import re
from pathlib import Path

import pytest
from pydantic import BaseModel, ValidationError

from imaging.errors import ConfigurationError
from readers.account_policy import AccountPolicy
from surveillance.configuration import Configuration, Server, changed, load_configuration

OIDC = """[sign_in]
client_id = "graftsite"
client_secret = "s"
metadata_url = "https://id.example.org/.well-known/openid-configuration"
redirect_uri = "https://reads.example.org/oauth2callback"
cookie_secret = "c"
"""


def written(tmp_path, text):
    file = tmp_path / "graftsite.toml"
    file.write_text(text, encoding="utf-8")
    return file


def test_without_a_file_only_this_machine_is_served_with_passwords():
    found = load_configuration()
    assert found == Configuration()
    assert found.server.loopback
    assert not found.sign_in.by_identity


def test_everything_in_a_file_arrives_and_its_paths_start_at_its_folder(tmp_path):
    text = """
[server]
address = "0.0.0.0"
port = 443
certificate = "tls/cert.pem"
key = "tls/key.pem"
[storage]
data = "data"
keys = "/safe/keys"
database = "postgresql://reads@db/reads"
memory_mb = 256
[accounts]
idle_minutes = 10
"""
    found = load_configuration(written(tmp_path, text + OIDC))
    assert found.server.certificate == tmp_path / "tls" / "cert.pem"
    assert (found.storage.data, found.storage.keys_folder) == (
        tmp_path / "data",
        Path("/safe/keys"),
    )
    assert found.storage.database_url == "postgresql://reads@db/reads"
    assert found.accounts.idle_minutes == 10
    assert found.sign_in.by_identity


def test_the_command_line_goes_before_the_file(tmp_path):
    found = changed(load_configuration(), data=tmp_path / "here", port=9000)
    assert found.storage.database_url == f"sqlite:///{tmp_path / 'here' / 'reads.sqlite'}"
    assert found.storage.keys_folder == tmp_path / "here-keys"
    assert found.server.port == 9000
    assert changed(found) == found


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[server", "configuration_unreadable"),
        ("[server]\nprot = 1", "prot"),
        ("[server]\nport = 70000", "port"),
        ('[server]\ncertificate = "c.pem"', "go together"),
        ('[server]\naddress = "0.0.0.0"', "certificate and key"),
        ("[storage]\nmemory_mb = 1", "memory_mb"),
        ('[sign_in]\nclient_id = "x"', "client_secret"),
    ],
)
def test_a_file_that_cannot_be_meant_is_refused_with_the_reason(tmp_path, text, said):
    with pytest.raises(ConfigurationError) as refused:
        load_configuration(written(tmp_path, text))
    assert said in (str(refused.value), refused.value.code) or said in str(refused.value)


def test_the_file_in_the_guide_is_one_and_names_every_key(tmp_path):
    guide = (Path(__file__).parents[1] / "docs" / "reading.md").read_text("utf-8")
    found = load_configuration(written(tmp_path, re.search(r"```toml\n(.*?)```", guide, re.S)[1]))
    for name, section in found:
        for key in type(section).model_fields if isinstance(section, BaseModel) else ():
            assert re.search(rf"\b{key} =|\b{key}\b", guide), f"{name}.{key}"
    assert found.accounts == AccountPolicy()


def test_a_file_that_is_not_there_is_said(tmp_path):
    with pytest.raises(ConfigurationError, match=r"missing\.toml"):
        load_configuration(tmp_path / "missing.toml")


def test_others_are_served_only_behind_tls():
    with pytest.raises(ValidationError, match="reached by others"):
        Server(address="192.0.2.1")
    assert not Server(address="192.0.2.1", behind_tls_proxy=True).loopback
