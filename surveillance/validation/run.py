"""Run: make each case, assess it alone and with a seed point, and compare with the truth."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import TypeAlias, cast

from imaging.anatomy import Anatomy
from imaging.assessment import Assessment, assess_prepared
from imaging.concurrency import at_a_time
from imaging.errors import SeedError
from imaging.guidance import Guidance
from imaging.preparation import prepare_visits
from imaging.protocol import Protocol
from surveillance.validation.case import Case, Recipe
from surveillance.validation.compare import rows_of
from surveillance.validation.kept import Done, Kept, Pictures
from surveillance.validation.pictures import outlined_png
from surveillance.validation.row import Row
from surveillance.workers import in_workers

AUTOMATIC, SEEDED = "automatic", "one seed"
VARIANTS = (AUTOMATIC, SEEDED)
Seeds: TypeAlias = dict[str, tuple[float, float, float]]
Told: TypeAlias = Callable[[tuple[Row, ...]], None]
Task: TypeAlias = tuple[Recipe, Protocol, Sequence[str]]


def run(
    recipes: Sequence[Recipe],
    protocol: Protocol,
    variants: Sequence[str],
    jobs: int,
    told: Told,
    kept: Kept,
) -> tuple[Done, tuple[str, ...]]:
    """Run what is not kept yet; rows and pictures in the recipes' order however many jobs.

    Also returns the names of cases that are missing: an interrupt came first, or their process
    died. Another run takes them up.
    """
    found: dict[str, Done] = {}
    for recipe in recipes:
        before = kept.found(recipe.name)
        if before is not None:
            found[recipe.name] = before
    tasks = [(r, protocol, variants) for r in in_turn(recipes) if r.name not in found]
    with suppress(KeyboardInterrupt):
        for (recipe, _, _), done in _results(tasks, jobs):
            if done is not None:
                kept.keep(recipe.name, done)
                found[recipe.name] = done
                told(done[0])
    in_order = [found[recipe.name] for recipe in recipes if recipe.name in found]
    rows = tuple(row for ours, _ in in_order for row in ours)
    pictures = {key: png for _, ours in in_order for key, png in ours.items()}
    missing = tuple(recipe.name for recipe in recipes if recipe.name not in found)
    return (rows, pictures), missing


def in_turn(recipes: Sequence[Recipe]) -> list[Recipe]:
    """Return the recipes so that a run that is stopped has the same share of every kind."""
    kinds = [recipe.kind for recipe in recipes]
    share = [kinds[:n].count(kind) / kinds.count(kind) for n, kind in enumerate(kinds)]
    return [recipes[n] for n in sorted(range(len(recipes)), key=lambda n: (share[n], n))]


def _results(tasks: Sequence[Task], jobs: int) -> Iterator[tuple[Task, Done | None]]:
    if jobs == 1:
        return ((task, _run_task(task)) for task in tasks)
    return in_workers(_run_task, tasks, jobs)


def _run_task(task: Task) -> Done:
    return run_one(*task)


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
