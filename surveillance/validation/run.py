"""Run: make each case, assess it alone and with a seed point, and compare with the truth."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import replace
from functools import partial
from typing import TypeAlias, cast

from imaging.assessment import Anatomy, Assessment, assess_prepared
from imaging.concurrency import at_a_time
from imaging.errors import SeedError
from imaging.guidance import Guidance
from imaging.preparation import prepare_visits
from imaging.protocol import Protocol
from surveillance.validation.case import Case, Recipe
from surveillance.validation.compare import rows_of
from surveillance.validation.pictures import outlined_png
from surveillance.validation.row import Row

AUTOMATIC, SEEDED = "automatic", "one seed"
VARIANTS = (AUTOMATIC, SEEDED)
Seeds: TypeAlias = dict[str, tuple[float, float, float]]
Pictures: TypeAlias = dict[tuple[str, str], bytes]
Done: TypeAlias = tuple[tuple[Row, ...], Pictures]
Told: TypeAlias = Callable[[tuple[Row, ...]], None]


def run(
    recipes: Sequence[Recipe],
    protocol: Protocol,
    variants: Sequence[str],
    jobs: int,
    told: Told,
) -> Done:
    """Run all recipes; rows and pictures in the recipes' order however many jobs there are."""
    found: dict[str, Done] = {}
    for name, done in _results(recipes, protocol, variants, jobs):
        found[name] = done
        told(done[0])
    in_order = [found[recipe.name] for recipe in recipes]
    rows = tuple(row for ours, _ in in_order for row in ours)
    return rows, {key: png for _, ours in in_order for key, png in ours.items()}


def _results(
    recipes: Sequence[Recipe], protocol: Protocol, variants: Sequence[str], jobs: int
) -> Iterator[tuple[str, Done]]:
    if jobs == 1:
        yield from ((r.name, run_one(r, protocol, variants)) for r in recipes)
        return
    # Spawned, because a forked child inherits the locks of whatever threads the parent had.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, mp_context=context) as pool:
        waiting = {pool.submit(run_one, r, protocol, variants): r.name for r in recipes}
        yield from ((waiting[done], done.result()) for done in as_completed(waiting))


def run_one(recipe: Recipe, protocol: Protocol, variants: Sequence[str]) -> Done:
    """Return one recipe's rows for every variant, and a picture of its last visit for each."""
    case = recipe.make()
    rows: list[Row] = []
    pictures: Pictures = {}
    with at_a_time(1) as pool:
        prepared = tuple(prepare_visits(case.subject.visits, protocol, pool))
        for variant in variants:
            seeds = _seeds(case) if variant == SEEDED else {}
            if variant == SEEDED and not seeds:
                continue
            work = partial(assess_prepared, case.subject, prepared, protocol, pool)
            assessment, refused = _assessed(work, seeds)
            ours = rows_of(recipe, case, assessment, variant, protocol)
            rows += [replace(row, error=refused.get(row.visit)) for row in ours]
            last, truth = cast(Anatomy, assessment.visits[-1].anatomy), case.truths[-1]
            pictures[(recipe.name, variant)] = outlined_png(last, truth.graft, truth.rectus_left)
    return tuple(rows), pictures


def _seeds(case: Case) -> Seeds:
    pairs = zip(case.subject.visits, case.seeds, strict=True)
    return {visit.label: seed for visit, seed in pairs if seed is not None}


def _assessed(
    assessed_with: Callable[[Guidance], Assessment], seeds: Seeds
) -> tuple[Assessment, dict[str, str]]:
    """Assess with all seeds that are accepted, and return what became of the others.

    A refused seed stops a subject; a reader would then go on without it.
    """
    refused: dict[str, str] = {}
    while True:
        try:
            points = {visit: (point,) for visit, point in seeds.items()}
            return assessed_with(Guidance(seeds=points)), refused
        except SeedError as error:
            label = _whose(error, seeds)
            refused[label] = error.code
            seeds = {name: point for name, point in seeds.items() if name != label}


def _whose(error: SeedError, seeds: Seeds) -> str:
    """Return the visit whose seed an error is about, by the point that it names."""
    said = str(error.values["point"])
    for label, seed in seeds.items():
        if said == ", ".join(f"{value:.1f}" for value in seed):
            return label
    raise error
