"""Run: make each case, assess it alone and with a seed point, and compare with the truth."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import replace

from imaging.assessment import assess
from imaging.errors import InputError
from imaging.guidance import Guidance
from imaging.protocol import Protocol
from surveillance.validation.case import Case, Recipe
from surveillance.validation.compare import rows_of
from surveillance.validation.row import Row

AUTOMATIC, SEEDED = "automatic", "one seed"
VARIANTS = (AUTOMATIC, SEEDED)


def run(
    recipes: Sequence[Recipe],
    protocol: Protocol,
    variants: Sequence[str],
    jobs: int,
    told: Callable[[tuple[Row, ...]], None],
) -> tuple[Row, ...]:
    """Run all recipes and return their rows, in the recipes' order however many jobs there are."""
    found: dict[str, tuple[Row, ...]] = {}
    for name, rows in _results(recipes, protocol, variants, jobs):
        found[name] = rows
        told(rows)
    return tuple(row for recipe in recipes for row in found[recipe.name])


def _results(
    recipes: Sequence[Recipe], protocol: Protocol, variants: Sequence[str], jobs: int
) -> Iterator[tuple[str, tuple[Row, ...]]]:
    if jobs == 1:
        yield from ((r.name, run_one(r, protocol, variants)) for r in recipes)
        return
    # Spawned, because a forked child inherits the locks of whatever threads the parent had.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, mp_context=context) as pool:
        waiting = {pool.submit(run_one, r, protocol, variants): r.name for r in recipes}
        yield from ((waiting[done], done.result()) for done in as_completed(waiting))


def run_one(recipe: Recipe, protocol: Protocol, variants: Iterable[str]) -> tuple[Row, ...]:
    """Return one recipe's rows for every variant."""
    case = recipe.make()
    return tuple(row for v in variants for row in _rows(recipe, case, protocol, v))


def _rows(recipe: Recipe, case: Case, protocol: Protocol, variant: str) -> tuple[Row, ...]:
    seeds = _seeds(case) if variant == SEEDED else {}
    if variant == SEEDED and not seeds:
        return ()
    refused: dict[str, str] = {}
    started = time.perf_counter()
    while True:
        try:
            assessment = assess(case.subject, protocol, Guidance(seeds=seeds))
            break
        except InputError as error:
            # A refused seed stops the subject: leave it out, as a reader would, and count it.
            label = _refused_label(case, protocol, seeds)
            refused[label] = error.code
            seeds = {k: v for k, v in seeds.items() if k != label}
    seconds = time.perf_counter() - started
    rows = rows_of(recipe, case, assessment, variant, protocol)
    return tuple(
        replace(row, seconds=seconds / len(rows), error=refused.get(row.visit)) for row in rows
    )


def _seeds(case: Case) -> dict[str, tuple[float, float, float]]:
    pairs = zip(case.subject.visits, case.seeds, strict=True)
    return {visit.label: seed for visit, seed in pairs if seed is not None}


def _refused_label(
    case: Case, protocol: Protocol, seeds: dict[str, tuple[float, float, float]]
) -> str:
    """Return the first visit whose seed is refused: visits are assessed in their order."""
    labels = [v.label for v in case.subject.visits if v.label in seeds]
    for label in labels[:-1]:
        tried = {k: v for k, v in seeds.items() if labels.index(k) <= labels.index(label)}
        try:
            assess(case.subject, protocol, Guidance(seeds=tried))
        except InputError:
            return label
    return labels[-1]
