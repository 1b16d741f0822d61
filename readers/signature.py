"""Signature: name, UTC time and meaning, proved again, bound to content, images and masks.

A signature is a statement (canonical JSON) and its SHA-256. The statement holds the hash of the
content and the hashes of the images and masks it was given on, so that changing any of them
later no longer fits; 21 CFR 11.50 names what a signature has to show.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from sqlalchemy import insert

from readers import sessions, tables
from readers.actor import Actor
from readers.canonical import canonical, sha256
from readers.errors import SessionError, SignatureError
from readers.lockout import verified
from readers.store import Store, Writing

Meaning = Literal["read", "correction", "change of mind", "adjudication"]


@dataclass(frozen=True, slots=True)
class Password:
    """Proof by the account's own password, typed for this signature."""

    text: str

    def __repr__(self) -> str:
        return "Password(…)"  # never in a log


@dataclass(frozen=True, slots=True)
class Identity:
    """Proof by a fresh sign-in at the identity provider: its claims, with `auth_time`."""

    claims: Mapping[str, Any]


Proof = Password | Identity


def prove(store: Store, actor: Actor, proof: Proof) -> str:
    """Check that the one who signs is the actor; return how it was proved.

    Raises
    ------
    SignatureError
        Wrong password, a temporary one, locked out, another's identity, or not fresh.
    """
    if isinstance(proof, Password):
        return _by_password(store, actor, proof)
    return _by_identity(store, actor, proof)


def _by_password(store: Store, actor: Actor, proof: Password) -> str:
    try:
        row = verified(store, actor.name, proof.text)
    except SessionError as error:
        raise SignatureError("signature_refused", why=str(error)) from error
    if row.password_temporary:
        raise SignatureError("signature_temporary_password")
    return "password"


def _by_identity(store: Store, actor: Actor, proof: Identity) -> str:
    row = sessions.identified(store, proof.claims)
    if row is None or row.name != actor.name or row.disabled:
        raise SignatureError("signature_identity")
    signed_in = datetime.fromtimestamp(float(proof.claims.get("auth_time") or 0), UTC)
    minutes = store.policy.proof_minutes
    if abs(store.clock() - signed_in) > timedelta(minutes=minutes):
        raise SignatureError("signature_not_fresh", minutes=minutes)
    return "identity provider"


@dataclass(frozen=True, slots=True)
class Bound:
    """What a signature is bound to, besides its content.

    Parameters
    ----------
    of
        The row that is signed: its numbers, kind, reason and what had been seen (`of_signed`,
        `of_decision`).
    """

    images: Mapping[str, str]
    masks: Mapping[str, str]
    form_version: str
    of: Mapping[str, object]


def of_signed(row: Any) -> dict[str, object]:
    """Return what a signature says of the row in `signed` that it is on."""
    return {
        "signed": row.id,
        "read": row.read_id,
        "version": row.version,
        "kind": row.kind,
        "reason": row.reason,
        "machine_seen": row.machine_seen,
        "spent_s": row.spent_s,
    }


def of_decision(row: Any) -> dict[str, object]:
    """Return what a signature says of the row in `decision` that it is on."""
    return {
        "decision": row.id,
        "discordance": row.discordance_id,
        "choice": row.choice,
        "reason": row.reason,
    }


def sign(
    writing: Writing,
    meaning: Meaning,
    method: str,
    content: Mapping[str, object],
    bound: Bound,
) -> str:
    """Add a signature inside the transaction that adds what is signed; return its SHA-256."""
    statement = {
        "signer": writing.actor.display_name,
        "account": writing.actor.name,
        "at": writing.at,
        "meaning": meaning,
        "method": method,
        "content_sha256": sha256(content),
        "images": dict(bound.images),
        "masks": dict(bound.masks),
        "form_version": bound.form_version,
        "of": dict(bound.of),
    }
    hashed = sha256(statement)
    writing.execute(
        insert(tables.signature).values(
            signed_id=bound.of.get("signed"),
            decision_id=bound.of.get("decision"),
            account_id=writing.actor.account_id,
            statement=canonical(statement),
            sha256=hashed,
        )
    )
    return hashed
