"""Accounts: who may sign in, with which role; made by an administrator, never by default."""

from __future__ import annotations

import re

from sqlalchemy import delete, func, insert, select, update

from readers import tables
from readers.account import Account, account_of, known_row, row_of
from readers.actor import SYSTEM, Actor, Role
from readers.errors import AccountError, SessionError
from readers.lockout import verified
from readers.passwords import hashed, random_password
from readers.store import Store, Writing
from readers.texts import checked_reason, storable

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{1,39}")
DISPLAY_CHARS_MAX = 100


def create_first_administrator(store: Store, name: str, display_name: str) -> str:
    """Make the first administrator and return a random password, to be shown once.

    Raises
    ------
    AccountError
        There are accounts already, or the name cannot be one.
    """
    with store.writing(SYSTEM) as writing:
        if writing.execute(select(func.count()).select_from(tables.account)).scalar_one():
            raise AccountError("accounts_exist")
        return _insert(store, writing, name, display_name, Role.ADMINISTRATOR)


def create(store: Store, actor: Actor, name: str, display_name: str, role: Role) -> str:
    """Make an account and return its one-time password, to be changed at the first sign-in.

    Raises
    ------
    AccountError
        The name is taken, or cannot be one.
    """
    actor.require(Role.ADMINISTRATOR)
    with store.writing(actor) as writing:
        return _insert(store, writing, name, display_name, role)


def _insert(store: Store, writing: Writing, name: str, display_name: str, role: Role) -> str:
    if not _NAME.fullmatch(name) or name == SYSTEM.name:
        raise AccountError("account_name", name=name[:40])
    if not 0 < len(display_name.strip()) <= DISPLAY_CHARS_MAX or not storable(display_name):
        raise AccountError("account_display_name", most=DISPLAY_CHARS_MAX)
    if row_of(writing.connection, name) is not None:
        raise AccountError("account_taken", name=name)
    password = random_password()
    writing.execute(
        insert(tables.account).values(
            name=name,
            display_name=display_name.strip(),
            role=str(role),
            password_hash=hashed(password, store.policy),
            password_temporary=True,
            failures=0,
            disabled=False,
        )
    )
    told = {"display_name": display_name.strip(), "role": str(role)}
    writing.record("account.created", f"account:{name}", after=told)
    return password


def every(store: Store, actor: Actor) -> tuple[Account, ...]:
    """Return all accounts, by name; coordinators see them to assign cases."""
    actor.require(Role.ADMINISTRATOR, Role.COORDINATOR)
    with store.reading() as connection:
        rows = connection.execute(select(tables.account).order_by(tables.account.c.name)).all()
    return tuple(account_of(row) for row in rows)


def reset_password(store: Store, actor: Actor, name: str) -> str:
    """Give an account a new one-time password, end its lock-out and its sessions."""
    actor.require(Role.ADMINISTRATOR)
    password = random_password()
    values = {
        "password_hash": hashed(password, store.policy),
        "password_temporary": True,
        "failures": 0,
        "locked_at": None,
    }
    _change(store, actor, name, "account.password_reset", values, end_sessions=True)
    return password


def change_password(store: Store, actor: Actor, old: str, new: str) -> None:
    """Change one's own password.

    Raises
    ------
    AccountError
        The old one is wrong (which counts toward a lock-out), or the new one too short or the same.
    """
    try:
        verified(store, actor.name, old)
    except SessionError as error:
        raise AccountError("password_not_changed", why=str(error)) from error
    if old == new:
        raise AccountError("password_same")
    values = {"password_hash": hashed(new, store.policy), "password_temporary": False}
    _change(store, actor, actor.name, "account.password_changed", values)


def unlock(store: Store, actor: Actor, name: str) -> None:
    """End a lock-out."""
    actor.require(Role.ADMINISTRATOR)
    _change(store, actor, name, "account.unlocked", {"failures": 0, "locked_at": None})


def disable(store: Store, actor: Actor, name: str, reason: str) -> None:
    """Close an account for good; what it signed stays, its sessions end."""
    actor.require(Role.ADMINISTRATOR)
    said = checked_reason(reason)
    values: dict[str, object] = {"disabled": True}
    _change(store, actor, name, "account.disabled", values, reason=said, end_sessions=True)


def map_identity(store: Store, actor: Actor, name: str, identity: str | None) -> None:
    """Let an OpenID Connect identity (`issuer|subject`, or a verified e-mail) be this account.

    None takes the identity from it.

    Raises
    ------
    AccountError
        The identity is another account's.
    """
    actor.require(Role.ADMINISTRATOR)
    with store.reading() as connection:
        taken = connection.execute(
            select(tables.account.c.name).where(tables.account.c.oidc_identity == identity)
        ).scalar()
    if identity is not None and taken not in (None, name):
        raise AccountError("identity_taken", name=name)
    _change(store, actor, name, "account.identity_mapped", {"oidc_identity": identity})


def _change(
    store: Store,
    actor: Actor,
    name: str,
    action: str,
    values: dict[str, object],
    *,
    reason: str | None = None,
    end_sessions: bool = False,
) -> None:
    with store.writing(actor) as writing:
        before = known_row(writing.connection, name)
        writing.execute(
            update(tables.account).where(tables.account.c.id == before.id).values(**values)
        )
        if end_sessions:
            writing.execute(delete(tables.session).where(tables.session.c.account_id == before.id))
        told = {k: v for k, v in values.items() if k != "password_hash"}
        writing.record(
            action,
            f"account:{name}",
            before={k: before._mapping[k] for k in told},
            after=told,
            reason=reason,
        )
