"""Demonstration: accounts and cases for a first look at the reading application."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from imaging.messages import text
from readers import accounts, assigning
from readers.actor import SYSTEM, Role
from readers.passwords import random_password
from surveillance.station import Station

_READERS = ("reader-1", "reader-2")
_PEOPLE = {
    "coordinator": Role.COORDINATOR,
    _READERS[0]: Role.READER,
    _READERS[1]: Role.READER,
    "adjudicator": Role.ADJUDICATOR,
    "administrator": Role.ADMINISTRATOR,
}


@dataclass(frozen=True, slots=True)
class Login:
    """One account with the password that is shown once."""

    name: str
    role: Role
    password: str


def furnish(station: Station) -> tuple[Login, ...]:
    """Make the demonstration accounts that are not there, and give cases to both readers.

    The last case is left for the coordinator to assign. Nothing happens to a station that has
    accounts already: returns ().
    """
    if accounts.every(station.store, SYSTEM):
        return ()
    logins = tuple(_people(station))
    coordinator = next(
        a.actor for a in accounts.every(station.store, SYSTEM) if a.role is Role.COORDINATOR
    )
    subjects = station.library.subjects
    for subject in subjects[: max(1, len(subjects) - 1)]:
        assigning.assign(station.store, coordinator, subject, _READERS, station.paradigm)
    return logins


def _people(station: Station) -> Iterator[Login]:
    for name, role in _PEOPLE.items():
        first = accounts.create(
            station.store, SYSTEM, name, text(f"demonstration.{role}", name=name), role
        )
        actor = next(a.actor for a in accounts.every(station.store, SYSTEM) if a.name == name)
        # A demonstration does not begin with five changes of passwords.
        password = random_password()
        accounts.change_password(station.store, actor, first, password)
        yield Login(name, role, password)
