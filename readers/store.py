"""Store: one database of reads, and how it is read and written.

SQLite by default, PostgreSQL by URL. There is one writer at a time on either: SQLite takes its
write lock when the transaction begins, PostgreSQL an advisory lock; so an audit number is never
given twice and a check made inside a transaction still holds when it commits.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, func, select
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import (
    ArgumentError,
    DatabaseError,
    DataError,
    IntegrityError,
    InterfaceError,
    NoSuchModuleError,
    ProgrammingError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from readers import audit, schema
from readers.account_policy import AccountPolicy
from readers.actor import Actor
from readers.anchor import ANCHOR_FILE, Anchor, Anchored, load_anchored
from readers.audit import Event
from readers.clock import Clock, utc_now, written
from readers.errors import AuditError, StoreError

BUSY_MS = 10_000
"""How long SQLite waits for another process that writes, and a thread for a connection."""
WRITER_LOCK = 7_276_568
"""The advisory lock all writers of one PostgreSQL database take."""


@dataclass(frozen=True, slots=True)
class Writing:
    """One writing transaction: all of it happens, with its audit entries, or nothing."""

    connection: Connection
    actor: Actor
    at: str

    def execute(self, statement: Any, *values: Any) -> Any:
        """Run one statement."""
        return self.connection.execute(statement, *values)

    def record(
        self,
        action: str,
        target: str,
        *,
        before: Mapping[str, object] | None = None,
        after: Mapping[str, object] | None = None,
        reason: str | None = None,
    ) -> None:
        """Add the audit entry of what this transaction does."""
        audit.append(
            self.connection, self.actor, self.at, Event(action, target, before, after, reason)
        )


@dataclass(frozen=True, slots=True, eq=False)
class Store:
    """An open store; shared by all threads of a process."""

    engine: Engine
    clock: Clock = utc_now
    policy: AccountPolicy = field(default_factory=AccountPolicy)
    anchor: Anchor | None = None
    turn: Lock = field(default_factory=Lock)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Read one consistent state."""
        with told_plainly(), self.engine.connect() as plain:
            connection = plain
            if self.engine.dialect.name == "postgresql":  # SQLite always reads one state
                connection = plain.execution_options(isolation_level="REPEATABLE READ")
            with connection.begin():
                yield connection

    @contextmanager
    def writing(self, actor: Actor) -> Iterator[Writing]:
        """Write: committed when the block ends, undone when it raises.

        Raises
        ------
        StoreError
            The database cannot be reached or written; nothing was changed.
        """
        with self.turn, told_plainly(), only_writer(self.engine) as connection:
            yield Writing(connection, actor, written(self.clock()))
            seq, hash_, at = audit.head(connection)
        if self.anchor is not None:
            self.anchor.keep(Anchored(seq, hash_, at))

    def close(self) -> None:
        """Give back all connections."""
        self.engine.dispose()


def open_store(
    url: str,
    *,
    clock: Clock = utc_now,
    policy: AccountPolicy | None = None,
    anchor: Anchor | None = None,
) -> Store:
    """Open a store; make it when it is not there, migrate it when it is of an older version.

    Raises
    ------
    StoreError
        The URL is not one, the database cannot be reached, is not ours, or is too new.
    AuditError
        The database has fewer audit entries than the anchor vouches for.
    """
    engine = connected(url)
    store = Store(engine, clock, policy or AccountPolicy(), anchor)
    try:
        with told_plainly(), only_writer(engine) as connection:
            schema.upgrade(connection)
        if anchor is not None:
            _refuse_cut(store, anchor)
    except BaseException:
        store.close()
        raise
    return store


@contextmanager
def only_writer(engine: Engine) -> Iterator[Connection]:
    """Begin a transaction that no other writer of any process is in."""
    with engine.connect() as plain:
        connection = plain.execution_options(writes=True)
        with connection.begin():
            if engine.dialect.name == "postgresql":
                connection.execute(select(func.pg_advisory_xact_lock(WRITER_LOCK)))
            yield connection


def _refuse_cut(store: Store, anchor: Anchor) -> None:
    known = load_anchored(anchor.folder / ANCHOR_FILE, anchor.public)
    with store.reading() as connection:
        seq = audit.head(connection)[0]
    if known is not None and seq < known.seq:
        raise AuditError("audit_cut", entries=seq, anchored=known.seq)


def _parsed(url: str) -> URL:
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise StoreError("store_url") from error
    if parsed.get_backend_name() not in ("sqlite", "postgresql"):
        raise StoreError("store_url")
    if parsed.drivername == "postgresql":
        parsed = parsed.set(drivername="postgresql+psycopg")
    return parsed


def connected(url: str) -> Engine:
    """Return the engine of a store's address.

    Raises
    ------
    StoreError
        The address is not one of SQLite or PostgreSQL, or is of a database in memory, which
        would take all reads with it.
    """
    parsed = _parsed(url)
    if parsed.get_backend_name() == "sqlite" and parsed.database in (None, "", ":memory:"):
        raise StoreError("store_url")
    try:
        engine = create_engine(
            parsed, pool_pre_ping=True, pool_timeout=BUSY_MS / 1000, hide_parameters=True
        )
    except NoSuchModuleError as error:
        raise StoreError("store_url") from error
    if engine.dialect.name == "sqlite":
        _make_private(engine.url.database or "")
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    return engine


def _make_private(file: str) -> None:
    """Make a new database file readable by its owner alone: it holds reads and password hashes."""
    path = Path(file)
    if path.parent.is_dir() and not path.exists():
        path.touch(mode=0o600)


def _prepare_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves, below
    for setting in (
        f"busy_timeout={BUSY_MS}",
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        "recursive_triggers=ON",
    ):
        connection.execute(f"PRAGMA {setting}")


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


@contextmanager
def told_plainly() -> Iterator[None]:
    """Turn what a database driver says into our own error, without its parameters.

    Raises
    ------
    StoreError
        The database cannot be reached, read or written.
    """
    try:
        yield
    except (InterfaceError, DatabaseError) as error:
        if isinstance(error, IntegrityError | ProgrammingError | DataError):
            raise  # a mistake of ours, not the database's state
        detail = str(error.orig).strip().split("\n")[0]
        raise StoreError("store_unavailable", detail=detail) from error
    except PoolTimeoutError as error:
        raise StoreError("store_busy") from error
