"""A reading room for tests: people, a case of five visits, and whole sets of answers."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import numpy as np
from sqlalchemy import event

from imaging.geometry import Geometry
from imaging.protocol import load_protocol
from imaging.volume import Mask
from readers import accounts, assigning, cases, reading, sessions, signing, worklist
from readers.account_policy import AccountPolicy
from readers.actor import Role
from readers.cases import CaseVisit
from readers.paradigm import load_paradigm
from readers.signature import Password
from readers.signing import Given, Pen
from readers.store import open_store

PROTOCOL = load_protocol()
CHEAP = AccountPolicy(argon2_time=1, argon2_memory_kib=8, argon2_lanes=1)
START = datetime(2026, 3, 2, 9, tzinfo=UTC)
PEOPLE = {
    "reader1": Role.READER,
    "reader2": Role.READER,
    "judge": Role.ADJUDICATOR,
    "coordinator": Role.COORDINATOR,
}
VISITS = {"BASELINE": 0, "D28": 28, "M3": 91, "M6": 182, "M12": 365}
GRID = Geometry(np.diag([1.0, 1.0, 4.0, 1.0]), (16, 12, 8), "1.2.3")

BASELINE = {
    "t2w_fs_quality": "evaluable",
    "t1w_fs_quality": "evaluable",
    "supporting_quality": "not_acquired",
    "reference_muscle": "both",
    "confounders": ["none"],
    "graft_seen": "yes",
    "graft_place": "in_muscle",
    "level": "slightly_higher",
    "pattern": "homogeneous",
    "isointense": "yes",
    "fat": "none",
    "confidence": "4",
}
STABLE = BASELINE | {
    "location_versus_baseline": "unchanged",
    "shape_versus_baseline": "unchanged",
    "size_versus_baseline": "stable",
    "size_versus_nadir": "stable",
    "mass_effect": ["none"],
    "signal_change": "stable",
}
LARGER = STABLE | {"size_versus_baseline": "larger", "size_versus_nadir": "larger"}
FOCUS = {"diameter_mm": 6.0, "slice": 4, "mark": "m1", "since": "new"}
MARK = {
    "id": "m1",
    "kind": "length",
    "series": "t2w_fs",
    "slice_index": 3,
    "points_lps_mm": [[1.0, 2.0, 3.0], [7.0, 2.0, 3.0]],
    "value": 6.0,
    "unit": "mm",
}
NODULAR = STABLE | {"pattern": "nodular", "signal_change": "new_or_evolving", "foci": [FOCUS]}


@dataclass
class Hand:
    """A clock that goes on by a second a look, and that a test may set."""

    now: datetime = START

    def __call__(self):
        self.now += timedelta(seconds=1)
        return self.now


def case_visits(labels=tuple(VISITS), salt=0):
    """Return visits with image hashes that only `salt` changes."""
    return [
        CaseVisit(
            label=label,
            baseline=label == "BASELINE",
            days=VISITS[label],
            early=VISITS[label] <= 38,
            images={"t2w_fs": f"{n + salt:064x}", "t1w_fs": f"{n + salt + 100:064x}"},
            grid=GRID,
        )
        for n, label in enumerate(labels)
    ]


def machine(labels=tuple(VISITS)):
    """Return a machine that finds everything favorable, and every graft 30 mm long."""
    endpoints = ("morphological_stability", "signal_characteristics", "fat_absence")
    sizes = {"diameter_mm": 30.0, "thickness_mm": None}
    return {
        label: {"endpoints": dict.fromkeys(endpoints, "favorable"), "sizes": sizes}
        for label in labels
    }


def block(first=2, last=5):
    """Return a mask of a cube on the case's grid."""
    array = np.zeros(GRID.shape, dtype=bool)
    array[first:last, first:last, first:last] = True
    return Mask(array, GRID)


def password_of(name):
    return f"a long password of {name}"


@dataclass
class Room:
    """An open store with its people signed in."""

    store: object
    clock: Hand
    people: dict = field(default_factory=dict)
    tokens: dict = field(default_factory=dict)

    def __getattr__(self, name):
        try:
            return self.__dict__["people"][name]
        except KeyError:
            raise AttributeError(name) from None

    def pen(self, name, reason=""):
        return Pen(Password(password_of(name)), PROTOCOL, reason)

    def hire(self, name, role):
        password = accounts.create(self.store, self.admin, name, name.title(), role)
        actor = sessions.sign_in(self.store, name, password).actor
        accounts.change_password(self.store, actor, password, password_of(name))
        self.tokens[name] = sessions.sign_in(self.store, name, password_of(name)).token
        self.people[name] = actor
        return actor

    def case(self, case_id="S01", labels=("BASELINE", "D28", "M3"), salt=0):
        visits = case_visits(labels, salt)
        return cases.register(self.store, self.coordinator, case_id, visits, machine(labels))

    def assign(self, case_id="S01", readers=("reader1", "reader2"), paradigm=None):
        paradigm = paradigm or load_paradigm()
        return assigning.assign(self.store, self.coordinator, case_id, readers, paradigm)

    def item(self, name, assignment_id=None):
        items = worklist.of_reader(self.store, self.people[name])
        return next(i for i in items if assignment_id in (None, i.id))

    def draft(self, name, answers, marks=(), item=None):
        """Open the next visit and fill its form."""
        actor, item = self.people[name], item or self.item(name)
        read = reading.open_read(self.store, actor, item.id, item.next_visit.label)
        return reading.save_draft(
            self.store, actor, read.id, revision=read.revision, answers=answers, marks=marks,
            spent_s=60.0,
        )  # fmt: skip

    def lock(self, name, answers, marks=(), acknowledged=(), item=None):
        """Read and sign the next visit."""
        read = self.draft(name, answers, marks, item)
        actor = self.people[name]
        return signing.lock(self.store, actor, read.id, read.revision, self.pen(name), acknowledged)

    def correct(self, name, read, answers, reason="a slip", marks=()):
        return signing.correct(
            self.store, self.people[name], read.id, Given(answers, marks), self.pen(name, reason)
        )


def open_room(url, clock=None, anchor=None, policy=CHEAP):
    """Open a store and let everybody in."""
    clock = clock or Hand()
    store = hurried(open_store(url, clock=clock, policy=policy, anchor=anchor))
    room = Room(store, clock)
    password = accounts.create_first_administrator(store, "admin", "Admin")
    room.people["admin"] = sessions.sign_in(store, "admin", password).actor
    for name, role in PEOPLE.items():
        room.hire(name, role)
    return room


def enter(url, first):
    """Open a copy of a room's store: the same people, and a clock that goes on from there."""
    clock = Hand(first.clock.now)
    store = hurried(open_store(url, clock=clock, policy=CHEAP))
    return Room(store, clock, dict(first.people), dict(first.tokens))


def hurried(store):
    """Let SQLite not wait for the disk: no test of this kind outlives a power cut."""
    if store.engine.dialect.name == "sqlite":
        event.listen(
            store.engine, "connect", lambda c, _: c.execute("PRAGMA synchronous=OFF").close()
        )
        store.engine.dispose()
    return store
