"""Actor: who is doing something, and whether this role may."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from readers.errors import ForbiddenError


class Role(StrEnum):
    """One role an account: who needs two has two accounts, because one may unblind the other."""

    READER = "reader"
    ADJUDICATOR = "adjudicator"
    COORDINATOR = "coordinator"
    ADMINISTRATOR = "administrator"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: `name` is the sign-in name, `display_name` what people read."""

    account_id: int
    name: str
    display_name: str
    role: Role

    def require(self, *roles: Role) -> None:
        """Refuse what another role has to do.

        Raises
        ------
        ForbiddenError
            This actor has none of the roles.
        """
        if self.role not in roles:
            needed = ", ".join(roles)
            raise ForbiddenError("role_needed", role=self.role, needed=needed)


SYSTEM = Actor(0, "system", "system", Role.ADMINISTRATOR)
"""The operator at the command line: first start, backup, restore, export, verification."""
