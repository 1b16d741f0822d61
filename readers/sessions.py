"""Sessions: signing in, staying signed in, and being locked out.

A session is a random token; the store keeps only its SHA-256. It ends after a time without use
and after a time in any case. A clock that moved by more than the idle time, forwards or back,
ends it too: then nobody knows how long it was unused.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, delete, insert, select, update

from readers import tables
from readers.account import Account, account_of
from readers.actor import Actor
from readers.clock import told, written
from readers.errors import SessionError
from readers.lockout import verified
from readers.store import Store

SEEN_EVERY = timedelta(minutes=1)
"""Use of a session is written down no more often than this."""


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A new session: the token to give back at every call, and who it is."""

    token: str
    account: Account

    @property
    def actor(self) -> Actor:
        """Who acts."""
        return self.account.actor


def sign_in(store: Store, name: str, password: str) -> SignedIn:
    """Start a session with a password.

    Raises
    ------
    SessionError
        Name or password are wrong (which of them is not told), the account is locked or closed.
    """
    row = verified(store, name, password)
    return _started(store, row)


def sign_in_by_identity(store: Store, claims: Mapping[str, Any]) -> SignedIn:
    """Start a session for who an identity provider vouched for (`st.user` after `st.login`).

    The identity is `iss|sub`, or the e-mail when the provider says that it is verified.

    Raises
    ------
    SessionError
        No account is mapped to this identity, or it is closed.
    """
    row = identified(store, claims)
    if row is None or row.disabled:
        raise SessionError("identity_unknown")
    return _started(store, row)


def identified(store: Store, claims: Mapping[str, Any]) -> Row[Any] | None:
    """Return the account row of an identity provider's claims, None when none is mapped."""
    names = [f"{claims.get('iss')}|{claims.get('sub')}"]
    if claims.get("email") and claims.get("email_verified") is True:
        names.append(str(claims["email"]))
    with store.reading() as connection:
        return connection.execute(
            select(tables.account).where(tables.account.c.oidc_identity.in_(names))
        ).first()


def _started(store: Store, row: Row[Any]) -> SignedIn:
    account, token = account_of(row), secrets.token_urlsafe(32)
    oldest = written(store.clock() - timedelta(hours=store.policy.session_hours))
    mine = tables.session.c.account_id == account.id
    with store.writing(account.actor) as writing:
        writing.execute(delete(tables.session).where(mine, tables.session.c.created_at < oldest))
        writing.execute(
            insert(tables.session).values(
                token_sha256=_digest(token),
                account_id=account.id,
                created_at=writing.at,
                seen_at=writing.at,
            )
        )
        writing.record("session.started", f"account:{account.name}")
    return SignedIn(token, account)


def resume(store: Store, token: str) -> Actor:
    """Return who a token belongs to, and note that the session is in use.

    Raises
    ------
    SessionError
        It has ended: signed out, expired, or the account was closed.
    """
    with store.reading() as connection:
        row = connection.execute(
            select(tables.account, tables.session.c.created_at, tables.session.c.seen_at)
            .join(tables.session, tables.session.c.account_id == tables.account.c.id)
            .where(tables.session.c.token_sha256 == _digest(token))
        ).first()
    if row is None or row.disabled:
        raise SessionError("session_ended")
    actor, now = account_of(row).actor, store.clock()
    if _expired(store, now, told(row.created_at), told(row.seen_at)):
        _end(store, actor, token, "session.expired")
        raise SessionError("session_expired", minutes=store.policy.idle_minutes)
    if abs(now - told(row.seen_at)) >= SEEN_EVERY:
        _seen(store, actor, token, now)
    return actor


def _expired(store: Store, now: datetime, created: datetime, seen: datetime) -> bool:
    idle = timedelta(minutes=store.policy.idle_minutes)
    longest = timedelta(hours=store.policy.session_hours)
    return abs(now - seen) > idle or abs(now - created) > longest


def _seen(store: Store, actor: Actor, token: str, now: datetime) -> None:
    with store.writing(actor) as writing:
        writing.execute(
            update(tables.session)
            .where(tables.session.c.token_sha256 == _digest(token))
            .values(seen_at=written(now))
        )


def sign_out(store: Store, token: str) -> None:
    """End a session; one that has ended already stays so."""
    try:
        actor = resume(store, token)
    except SessionError:
        return
    _end(store, actor, token, "session.ended")


def _end(store: Store, actor: Actor, token: str, action: str) -> None:
    with store.writing(actor) as writing:
        writing.execute(
            delete(tables.session).where(tables.session.c.token_sha256 == _digest(token))
        )
        writing.record(action, f"account:{actor.name}")


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8")).hexdigest()
