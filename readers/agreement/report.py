"""Report: all figures of agreement of one store, for those who coordinate and never for readers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations

from imaging.findings.status import Status
from imaging.measurement import Measurement
from imaging.measurements.distance import Overlap, compare
from imaging.transform import identity
from imaging.volume import Mask
from readers.actor import Actor, Role
from readers.agreement.continuous import LimitsOfAgreement, bland_altman, icc
from readers.agreement.nominal import (
    Coefficient,
    cohen,
    counted,
    crossed,
    fleiss,
    gwet_ac1,
    krippendorff_alpha,
    share,
    with_interval,
)
from readers.agreement.performance import ReaderPerformance, disputes, performance
from readers.agreement.ratings import Rating, ratings
from readers.form import load_form, versions
from readers.masks import content_of, newest_hashes
from readers.store import Store

DRAWS, SEED = 1000, 20263
Pairs = Sequence[tuple[Rating, Rating]]
Value = Callable[[Rating], str | None]


@dataclass(frozen=True, slots=True)
class Nominal:
    """Agreement on one endpoint or question; kappa of Cohen with its asymptotic interval."""

    name: str
    pairs: int
    percent: Measurement
    cohen: Measurement
    fleiss: Measurement
    ac1: Measurement
    alpha: Measurement


@dataclass(frozen=True, slots=True)
class Size:
    """Agreement on one size; `limits` are first minus second."""

    name: str
    pairs: int
    icc: Measurement
    limits: LimitsOfAgreement


@dataclass(frozen=True, slots=True)
class Masks:
    """The last graft outlines of two readers of a visit."""

    case_id: str
    visit: str
    volumes_ml: tuple[float, float]
    overlap: Overlap


@dataclass(frozen=True, slots=True)
class Report:
    """Between the two readers, each reader with the own re-reads, each reader with the machine."""

    between: tuple[Nominal, ...]
    between_sizes: tuple[Size, ...]
    within: dict[str, tuple[Nominal, ...]]
    within_sizes: dict[str, tuple[Size, ...]]
    machine: dict[str, tuple[Nominal, ...]]
    machine_sizes: dict[str, tuple[Size, ...]]
    performance: tuple[ReaderPerformance, ...]


def report(store: Store, actor: Actor, draws: int = DRAWS, seed: int = SEED) -> Report:
    """Return all figures; intervals by a bootstrap over visits with this seed."""
    actor.require(Role.COORDINATOR, Role.ADMINISTRATOR)
    with store.reading() as connection:
        rated, found = ratings(connection), disputes(connection)
    readers = sorted({r.reader for r in rated})
    between = _between(rated)
    within = {reader: _within(rated, reader) for reader in readers}
    machine = {r: _nominals(_with_machine(rated, r), draws, seed, machine=True) for r in readers}
    return Report(
        between=_nominals(between, draws, seed),
        between_sizes=_sizes(between),
        within={reader: _nominals(pairs, draws, seed) for reader, pairs in within.items()},
        within_sizes={reader: _sizes(pairs) for reader, pairs in within.items()},
        machine=machine,
        machine_sizes={r: _sizes(_with_machine(rated, r), machine=True) for r in readers},
        performance=tuple(performance(reader, rated, found) for reader in readers),
    )


def _between(rated: Sequence[Rating]) -> Pairs:
    primary = [r for r in rated if not r.is_reread]
    by_unit: dict[tuple[str, str], list[Rating]] = {}
    for rating in sorted(primary, key=lambda r: r.slot):
        by_unit.setdefault(rating.unit, []).append(rating)
    return [pair for group in by_unit.values() for pair in combinations(group, 2)]


def _within(rated: Sequence[Rating], reader: str) -> Pairs:
    mine = [r for r in rated if r.reader == reader]
    first = {(r.first_assignment, r.visit): r for r in mine if not r.is_reread}
    again = [r for r in mine if r.is_reread]
    return [
        (first[r.first_assignment, r.visit], r)
        for r in again
        if (r.first_assignment, r.visit) in first
    ]


def _with_machine(rated: Sequence[Rating], reader: str) -> Pairs:
    return [(r, r) for r in rated if r.reader == reader and not r.is_reread and r.machine]


def _nominals(pairs: Pairs, draws: int, seed: int, *, machine: bool = False) -> tuple[Nominal, ...]:
    form = load_form(versions()[-1])
    statuses = [str(status) for status in Status]
    made = [
        _nominal(
            name, _chosen(pairs, _endpoint(name), _machine(name) if machine else None),
            statuses, draws, seed,
        )
        for name in form.endpoints
    ]  # fmt: skip
    if machine:
        return tuple(made)
    questions = [q for q in form.questions if q.kind == "choice"]
    made += [
        _nominal(q.id, _chosen(pairs, _answer(q.id)), _options(q.id), draws, seed)
        for q in questions
    ]
    return tuple(made)


def _options(question: str) -> list[str]:
    """Return the options a question has had in any version: old reads keep their answers."""
    every = (q for v in versions() for q in load_form(v).questions if q.id == question)
    return list(dict.fromkeys(option.id for q in every for option in q.options))


def _endpoint(name: str) -> Value:
    return lambda rating: rating.endpoints.get(name)


def _machine(name: str) -> Value:
    return lambda rating: rating.machine.get(name)


def _answer(name: str) -> Value:
    return lambda rating: rating.answers.get(name)


def _chosen(pairs: Pairs, of_first: Value, of_second: Value | None = None) -> list[tuple[str, str]]:
    """Return both answers of the pairs that have two."""
    values = ((of_first(one), (of_second or of_first)(other)) for one, other in pairs)
    return [(one, other) for one, other in values if one is not None and other is not None]


def _nominal(
    name: str, chosen: list[tuple[str, str]], categories: Sequence[str], draws: int, seed: int
) -> Nominal:
    counts = counted(chosen, categories)
    table = crossed([one for one, _ in chosen], [other for _, other in chosen], categories)

    def interval(coefficient: Coefficient) -> Measurement:
        return with_interval(coefficient, counts, draws, seed)

    return Nominal(
        name=name,
        pairs=len(chosen),
        percent=share(sum(one == other for one, other in chosen), len(chosen)),
        cohen=cohen(table),
        fleiss=interval(fleiss),
        ac1=interval(gwet_ac1),
        alpha=interval(krippendorff_alpha),
    )


def _sizes(pairs: Pairs, *, machine: bool = False) -> tuple[Size, ...]:
    form = load_form(versions()[-1])
    numbers = [q.id for q in form.questions if q.kind == "number"]
    return tuple(_size(name, pairs, machine=machine) for name in numbers)


def _size(name: str, pairs: Pairs, *, machine: bool) -> Size:
    given = [
        (one.answers.get(name), (other.machine_sizes if machine else other.answers).get(name))
        for one, other in pairs
    ]
    both = [(float(a), float(b)) for a, b in given if a is not None and b is not None]
    first, second = [one for one, _ in both], [other for _, other in both]
    return Size(name, len(both), icc(both), bland_altman(first, second))


def masks(store: Store, actor: Actor) -> tuple[Masks, ...]:
    """Return Dice and surface distances of the two readers' last graft outlines of each visit.

    Visits on which a reader left no outline, or an empty one, are left out.
    """
    actor.require(Role.COORDINATOR, Role.ADMINISTRATOR)
    with store.reading() as connection:
        pairs = _between(ratings(connection))
        hashes = [
            [newest_hashes(connection, r.read_id).get("graft") for r in pair] for pair in pairs
        ]
        outlines = [[h and content_of(connection, h) for h in both] for both in hashes]
    made: Iterable[Masks | None] = (
        _compared(pair[0], both[0], both[1]) for pair, both in zip(pairs, outlines, strict=True)
    )
    return tuple(found for found in made if found is not None)


def _compared(rating: Rating, one: Mask | str | None, other: Mask | str | None) -> Masks | None:
    if not isinstance(one, Mask) or not isinstance(other, Mask):
        return None
    overlap = compare(one, other, identity(), align=False)
    if overlap is None:
        return None
    volumes_ml = (one.voxel_volume_ml, other.voxel_volume_ml)
    return Masks(rating.case_id, rating.visit, volumes_ml, overlap)
