"""Schema: bring a database to the newest version, or say why that cannot be."""

from __future__ import annotations

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect

from readers.errors import StoreError

_SCRIPTS = "readers:migrations"


def newest() -> str:
    """Return the version this program works with."""
    return ScriptDirectory.from_config(_config()).get_current_head() or ""


def current(connection: Connection) -> str | None:
    """Return the version a database has; None when it is empty."""
    return MigrationContext.configure(connection).get_current_revision()


def upgrade(connection: Connection, to: str = "head") -> None:
    """Bring a database to a version, the newest unless told, inside the caller's transaction.

    Raises
    ------
    StoreError
        It was made by a newer program, or holds tables of something else.
    """
    version = current(connection)
    if version == newest():
        return
    if version is None and inspect(connection).get_table_names():
        raise StoreError("store_not_ours")
    if version is not None and not knows(version):
        raise StoreError("store_too_new", version=version, newest=newest())
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, to)


def knows(version: str) -> bool:
    """Whether this program has a migration of that name."""
    scripts = ScriptDirectory.from_config(_config()).walk_revisions()
    return version in {script.revision for script in scripts}


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", _SCRIPTS)
    config.set_main_option("path_separator", "os")
    return config
