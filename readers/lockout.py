"""Lock-out: whose password this is, and how often a wrong one may be tried."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import Row, update

from readers import tables
from readers.account import row_of
from readers.actor import SYSTEM
from readers.clock import told
from readers.errors import SessionError
from readers.passwords import matches
from readers.store import Store, Writing


def verified(store: Store, name: str, password: str) -> Row[Any]:
    """Return the account whose password this is; count the failure when it is not.

    Raises
    ------
    SessionError
        Wrong name or password, locked, or closed.
    """
    with store.reading() as connection:
        row = row_of(connection, name)
    right = matches(password, row.password_hash if row else None, store.policy)
    refusal: SessionError | None = None
    with store.writing(SYSTEM) as writing:
        now = row_of(writing.connection, name) if row else None
        if now is None:
            writing.record("session.refused", "account:unknown")
            refusal = SessionError("sign_in_refused")
        elif _locked(store, now):
            refusal = _locked_error(store)
        elif now.disabled or not right or now.password_hash != getattr(row, "password_hash", ""):
            refusal = _count_failure(store, writing, now)
        elif now.failures or now.locked_at:
            _set(writing, now.id, failures=0, locked_at=None)
    if refusal is not None or now is None:
        raise refusal or SessionError("sign_in_refused")
    return now


def _locked(store: Store, row: Row[Any]) -> bool:
    if row.locked_at is None:
        return False
    until = told(row.locked_at) + timedelta(minutes=store.policy.lockout_minutes)
    return store.clock() < until


def _locked_error(store: Store) -> SessionError:
    return SessionError("account_locked", minutes=store.policy.lockout_minutes)


def _count_failure(store: Store, writing: Writing, row: Row[Any]) -> SessionError:
    failures = 1 if row.locked_at else row.failures + 1
    locks = failures >= store.policy.failures_max
    _set(writing, row.id, failures=failures, locked_at=writing.at if locks else None)
    writing.record("session.refused", f"account:{row.name}", after={"failures": failures})
    if not locks:
        return SessionError("sign_in_refused")
    writing.record("account.locked", f"account:{row.name}")
    return _locked_error(store)


def _set(writing: Writing, account_id: int, **values: object) -> None:
    writing.execute(
        update(tables.account).where(tables.account.c.id == account_id).values(**values)
    )
