"""Account policy: how strict sign-in is; the operator's configuration, not the trial's."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class AccountPolicy:
    """Lock-out, expiry and password rules.

    Parameters
    ----------
    failures_max
        Wrong passwords in a row until the account is locked.
    lockout_minutes
        How long it stays locked; an administrator can end it earlier.
    idle_minutes, session_hours
        A session ends after so long without use, and after so long in any case.
    password_chars_min
        Shortest password (NIST SP 800-63B asks for length, not for kinds of characters).
    proof_minutes
        How old a sign-in at the identity provider may be when it stands for a signature.
    argon2_time, argon2_memory_kib, argon2_lanes
        Cost of one password hash (RFC 9106's second recommended option).
    """

    failures_max: int = 5
    lockout_minutes: float = 15.0
    idle_minutes: float = 30.0
    session_hours: float = 12.0
    password_chars_min: int = 12
    proof_minutes: float = 5.0
    argon2_time: int = 3
    argon2_memory_kib: int = 65_536
    argon2_lanes: int = 4
