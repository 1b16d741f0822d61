"""Configuration of the reading application: one TOML file, every key of it known, the rest default.

[server]    where it listens, its certificate
[storage]   data folder, database, memory for images
[accounts]  lock-out and expiry (readers.account_policy)
[sign_in]   OpenID Connect; without it, passwords
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from imaging.errors import ConfigurationError
from readers.account_policy import AccountPolicy

Port = Annotated[int, Field(ge=1, le=65535)]
Minutes = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Server(_Section):
    """Where the application listens: this machine only, unless told otherwise.

    `certificate` and `key` are PEM files; with them it speaks TLS. `behind_tls_proxy` says that
    somebody in front does: without either, no address but loopback is served.
    """

    address: str = "127.0.0.1"
    port: Port = 8501
    certificate: Path | None = None
    key: Path | None = None
    behind_tls_proxy: bool = False

    @property
    def loopback(self) -> bool:
        """Whether only this machine can reach it."""
        return self.address in ("127.0.0.1", "::1", "localhost")

    @model_validator(mode="after")
    def _safe(self) -> Server:
        if (self.certificate is None) != (self.key is None):
            raise ValueError("certificate and key go together")
        if self.certificate is None and not self.loopback and not self.behind_tls_proxy:
            raise ValueError(
                f"{self.address} is reached by others: give certificate and key, or say "
                "behind_tls_proxy = true when a proxy speaks TLS"
            )
        return self


class Storage(_Section):
    """Where cases and reads are kept.

    `database` is an SQLAlchemy URL, SQLite in `data` by default. `keys` holds the key that signs
    the end of the audit trail; keep it apart from the data. `memory_mb` bounds the images that
    all sessions of the process hold together.
    """

    data: Path = Path("graftsite-data")
    database: str | None = None
    keys: Path | None = None
    memory_mb: Annotated[int, Field(ge=64)] = 1024

    @property
    def keys_folder(self) -> Path:
        """The folder of the audit key: beside the data folder by default."""
        return self.keys or self.data.with_name(f"{self.data.name}-keys")

    @property
    def database_url(self) -> str:
        """The URL of the reads."""
        return self.database or f"sqlite:///{self.data / 'reads.sqlite'}"


class SignIn(_Section):
    """OpenID Connect, when `client_id` is given: the provider's metadata and our registration."""

    client_id: str | None = None
    client_secret: str | None = None
    metadata_url: str | None = None
    redirect_uri: str | None = None
    cookie_secret: str | None = None

    @property
    def by_identity(self) -> bool:
        """Whether people sign in at an identity provider."""
        return self.client_id is not None

    @model_validator(mode="after")
    def _all_or_none(self) -> SignIn:
        given = [name for name, value in self if value is not None]
        if given and len(given) != len(type(self).model_fields):
            raise ValueError("OpenID Connect needs all of " + ", ".join(type(self).model_fields))
        return self


class Configuration(_Section):
    """Everything an operator decides."""

    server: Server = Server()
    storage: Storage = Storage()
    accounts: AccountPolicy = AccountPolicy()
    sign_in: SignIn = SignIn()


def load_configuration(path: Path | None = None) -> Configuration:
    """Load a configuration file, or the defaults; its relative paths start at its folder.

    Raises
    ------
    ConfigurationError
        Not readable, not TOML, or a key that is unknown or out of range.
    """
    if path is None:
        return Configuration()
    try:
        raw = tomllib.loads(path.read_text("utf-8"))
        configuration = Configuration.model_validate(raw)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigurationError("configuration_unreadable", file=path, detail=error) from error
    except ValidationError as error:
        problems = (f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        listed = "; ".join(problems)
        raise ConfigurationError("configuration_keys", file=path, problems=listed) from error
    return _anchored(configuration, path.resolve().parent)


def _anchored(configuration: Configuration, folder: Path) -> Configuration:
    server, storage = configuration.server, configuration.storage
    files = {
        name: None if path is None else folder / path
        for name, path in (("certificate", server.certificate), ("key", server.key))
    }
    return configuration.model_copy(
        update={
            "server": server.model_copy(update=files),
            "storage": storage.model_copy(
                update={
                    "data": folder / storage.data,
                    "keys": None if storage.keys is None else folder / storage.keys,
                }
            ),
        }
    )


def changed(
    configuration: Configuration, *, data: Path | None = None, port: int | None = None
) -> Configuration:
    """Return the configuration with what the command line says instead."""
    server, storage = configuration.server, configuration.storage
    if port is not None:
        server = server.model_copy(update={"port": port})
    if data is not None:
        storage = storage.model_copy(update={"data": data})
    return configuration.model_copy(update={"server": server, "storage": storage})
