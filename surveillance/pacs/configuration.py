"""Configuration: the archives this site talks to, loaded from TOML.

The tables below name every key that exists; a file with an unknown, missing or ill-typed key is
refused whole. Passwords are never in it, only the places where they are kept.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, ValidationError, model_validator

from imaging.errors import ConfigurationError, UsageError
from imaging.threshold import Count, Positive, Section
from surveillance.pacs.secret import AnyPath, Secret

AeTitle = Annotated[str, Field(pattern=r"^[ -\[\]-~]{0,15}[!-\[\]-~]$")]
"""PS3.5: at most 16 printable ASCII characters, no backslash, no space at the end."""
Port = Annotated[int, Field(ge=1, le=65535)]
LOOPBACK = {"localhost", "127.0.0.1", "::1"}


class ClientTls(Section):
    """Whom we trust, and the certificate by which the other side knows us, if it asks for one."""

    ca_file: AnyPath
    certificate_file: AnyPath | None = None
    key_file: AnyPath | None = None


class ServerTls(Section):
    """Our certificate; with `ca_file` only callers whose certificate it signed are let in."""

    certificate_file: AnyPath
    key_file: AnyPath
    ca_file: AnyPath | None = None


class Receiver(Section):
    """Where we accept images: for `listen`, and for nodes that send by C-MOVE."""

    bind: str
    port: Port
    callers: Annotated[tuple[AeTitle, ...], Field(strict=False, min_length=1)]
    tls: ServerTls | None = None


class Local(Section):
    """Who we are."""

    ae_title: AeTitle
    receiver: Receiver | None = None


class RetryPolicy(Section):
    """How often, after how long a wait, and when to give up without any progress."""

    attempts: Count
    first_wait_s: Positive
    longest_wait_s: Positive


class DimseAddress(Section):
    """A node that speaks DICOM's own protocol."""

    kind: Literal["dimse"]
    host: str
    port: Port
    ae_title: AeTitle
    timeout_s: Positive
    retrieve: Literal["get", "move"]
    tls: ClientTls | None = None


class BasicAuth(Section):
    """User and password."""

    user: str
    password: Secret


class BearerAuth(Section):
    """A token."""

    token: Secret


class WebAddress(Section):
    """A node that speaks DICOMweb; `url` is what QIDO, WADO and STOW paths begin with."""

    kind: Literal["dicomweb"]
    url: str
    timeout_s: Positive
    auth: BasicAuth | BearerAuth | None = None
    tls: ClientTls | None = None

    @model_validator(mode="after")
    def _safe(self) -> Self:
        parts = urlsplit(self.url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError("url must begin with https:// or http:// and name a host")
        if parts.username or parts.password:
            raise ValueError("url must not hold a password; use auth")
        if self.auth and parts.scheme == "http" and parts.hostname not in LOOPBACK:
            raise ValueError("a password would travel unencrypted; use https")
        if self.tls and parts.scheme == "http":
            raise ValueError("tls needs an https url")
        return self


class Listen(Section):
    """What `listen` does with a study that arrives.

    `count_from` names the node that is asked how many images a study has, `send_to` the one
    that results go back to; both may be left out. `language` and `paper` are the reports'.
    """

    folder: AnyPath
    output: AnyPath
    quiet_s: Positive
    longest_wait_s: Positive
    count_from: str | None = None
    send_to: str | None = None
    protocol: AnyPath | None = None
    language: Literal["en", "zh"] = "en"
    paper: Literal["a4", "letter"] = "a4"


Address = Annotated[DimseAddress | WebAddress, Field(discriminator="kind")]


class Configuration(Section):
    """All nodes by name, who we are, and how patient we are."""

    local: Local
    retry: RetryPolicy
    nodes: dict[str, Address]
    listen: Listen | None = None

    @model_validator(mode="after")
    def _known_nodes(self) -> Self:
        for name in (self.listen.count_from, self.listen.send_to) if self.listen else ():
            if name is not None and name not in self.nodes:
                raise ValueError(f"listen names node {name}, which is not there")
        moves = [n for n, a in self.nodes.items() if a.kind == "dimse" and a.retrieve == "move"]
        if self.local.receiver is None and (moves or self.listen):
            raise ValueError("listen, and retrieve = 'move', need the table [local.receiver]")
        return self

    def address_of(self, node: str) -> DimseAddress | WebAddress:
        """Return a node's address.

        Raises
        ------
        UsageError
            There is no node of that name.
        """
        if node not in self.nodes:
            known = ", ".join(sorted(self.nodes)) or "none"
            raise UsageError("no_such_node", node=node, nodes=known)
        return self.nodes[node]


def load_configuration(path: Path) -> Configuration:
    """Load a configuration file.

    Raises
    ------
    ConfigurationError
        Not readable, not TOML, or a key that is unknown, missing or out of its range.
    """
    try:
        raw = tomllib.loads(path.read_bytes().decode("utf-8"))
    except OSError as error:
        detail = error.strerror or error
        raise ConfigurationError("config_unreadable", file=path, detail=detail) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError("config_not_toml", file=path, detail=error) from error
    try:
        return Configuration.model_validate(raw)
    except ValidationError as error:
        # Only where and why: what was written there may be a password.
        problems = (f"{'.'.join(map(str, e['loc'])) or 'file'}: {e['msg']}" for e in error.errors())
        raise ConfigurationError("config_keys", file=path, problems="; ".join(problems)) from None
