"""Account: who may sign in and with which role; its password is never part of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, select

from readers import tables
from readers.actor import Actor, Role
from readers.errors import AccountError, NotFoundError


@dataclass(frozen=True, slots=True)
class Account:
    """One account, without its password."""

    id: int
    name: str
    display_name: str
    role: Role
    oidc_identity: str | None
    password_temporary: bool
    locked: bool
    disabled: bool

    @property
    def actor(self) -> Actor:
        """Who acts when this account is signed in."""
        return Actor(self.id, self.name, self.display_name, self.role)


def row_of(connection: Connection, name: str) -> Row[Any] | None:
    """Return an account's row, None when there is none of that name."""
    return connection.execute(select(tables.account).where(tables.account.c.name == name)).first()


def known_row(connection: Connection, name: str) -> Row[Any]:
    """Return an account's row.

    Raises
    ------
    NotFoundError
        There is none of that name.
    """
    row = row_of(connection, name)
    if row is None:
        raise NotFoundError("account_unknown", name=name[:40])
    return row


def account_of(row: Row[Any]) -> Account:
    """Return the account that a row holds."""
    return Account(
        id=row.id,
        name=row.name,
        display_name=row.display_name,
        role=Role(row.role),
        oidc_identity=row.oidc_identity,
        password_temporary=row.password_temporary,
        locked=row.locked_at is not None,
        disabled=row.disabled,
    )


def by_name(connection: Connection, name: str, role: Role) -> Account:
    """Return an account that has a role and is open.

    Raises
    ------
    NotFoundError
        There is none of that name.
    AccountError
        It has another role, or is closed.
    """
    account = account_of(known_row(connection, name))
    if account.role is not role or account.disabled:
        raise AccountError("account_not_usable", name=name, role=role)
    return account


def names_of_accounts(connection: Connection) -> dict[int, str]:
    """Return the sign-in name of every account number."""
    table = tables.account
    return {row.id: row.name for row in connection.execute(select(table.c.id, table.c.name)).all()}
