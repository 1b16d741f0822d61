"""Passwords: made at random, hashed with argon2id, never kept."""

from __future__ import annotations

import secrets

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerifyMismatchError

from readers.account_policy import AccountPolicy
from readers.errors import AccountError

ALPHABET = "abcdefghjkmnpqrstuvwxyzABCDEFGHJKMNPQRSTUVWXYZ23456789"
"""Without characters that look alike."""
RANDOM_CHARS = 16
CHARS_MAX = 1000


def random_password(chars: int = RANDOM_CHARS) -> str:
    """Return a password nobody chose: 5.7 bits a character."""
    return "".join(secrets.choice(ALPHABET) for _ in range(chars))


def hashed(password: str, policy: AccountPolicy) -> str:
    """Return the argon2id hash, its parameters and salt included.

    Raises
    ------
    AccountError
        The password is too short, or absurdly long.
    """
    if not policy.password_chars_min <= len(password) <= CHARS_MAX:
        raise AccountError("password_length", least=policy.password_chars_min, most=CHARS_MAX)
    return _hasher(policy).hash(password)


def matches(password: str, hash_: str | None, policy: AccountPolicy) -> bool:
    """Whether a password has this hash; as slow for an account without one, so as not to tell."""
    if len(password) > CHARS_MAX:
        return False
    hasher = _hasher(policy)
    if hash_ is None:
        hasher.hash(password)
        return False
    try:
        return hasher.verify(hash_, password)
    except (VerifyMismatchError, InvalidHashError):
        return False


def _hasher(policy: AccountPolicy) -> PasswordHasher:
    return PasswordHasher(
        time_cost=policy.argon2_time,
        memory_cost=policy.argon2_memory_kib,
        parallelism=policy.argon2_lanes,
        type=Type.ID,
    )
