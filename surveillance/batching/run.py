"""Run: units of work through a pool into a store; what is there is not done again.

Killed at any instant, a run leaves only committed subjects, and the next one does the rest.
"""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass, field
from typing import Protocol as Interface

from imaging.errors import NodeError
from imaging.messages import text
from surveillance.batching.absence import Absence
from surveillance.batching.pool import Pool
from surveillance.batching.unit import Order, Unit
from surveillance.batching.work import Answer, Became, do, failure
from surveillance.results.aside import Aside, clear_aside, read_asides, save_aside
from surveillance.results.place import Place
from surveillance.results.table import refresh

AHEAD = 2
"""Subjects handed out per place to work: a worker need not wait for us, and few are lost to a
scheduler that dies."""
LOOK_S = 1.0
"""How often it is looked whether anybody is there to do the work, while nothing is finished."""


class Progress(Interface):
    """Who is told how far the work is."""

    def begin(self, subjects: int) -> None:
        """Say how many subjects there are."""

    def finished_one(self, answer: Answer) -> None:
        """Say what became of one more."""

    def deserted(self, patience_s: float | None) -> None:
        """Say that nobody is there to do the work, and for how long that is borne; None: again."""


@dataclass(slots=True)
class Tally:
    """What became of all units: how many of each kind, and which were not assessed."""

    counts: Counter[Became] = field(default_factory=Counter)
    unseen: list[Answer] = field(default_factory=list)
    interrupted: bool = False

    def add(self, answer: Answer) -> None:
        """Count one more."""
        self.counts[answer.became] += 1
        if not answer.seen:
            self.unseen.append(answer)

    @property
    def assessed(self) -> int:
        """Subjects with results in the store."""
        return self.counts.total() - len(self.unseen)


def run(
    units: tuple[Unit, ...],
    order: Order,
    place: Place,
    pool: Pool,
    progress: Progress,
    *,
    retry: bool = False,
) -> Tally:
    """Do all units that are not done, publish the cohort table, and say what became of each.

    With `retry` those that were set aside get their tries anew.

    Raises
    ------
    OutputError
        The store cannot be written; what is committed stays.
    NodeError
        The cluster or an archive is gone; what is committed stays.
    """
    progress.begin(len(units))
    tally = Tally()
    try:
        absence = Absence(pool.patience_s, progress.deserted)
        for answer in _Batch(units, order, place, pool, retry=retry).answers(absence):
            tally.add(answer)
            progress.finished_one(answer)
    except KeyboardInterrupt:
        tally.interrupted = True
    refresh(place)
    return tally


class _Batch:
    """The units that wait, and those handed out."""

    def __init__(
        self, units: tuple[Unit, ...], order: Order, place: Place, pool: Pool, *, retry: bool
    ) -> None:
        self._waiting = deque(units)
        self._order, self._place, self._pool = order, place, pool
        forgiven = {"tries": 0} if retry else {}
        found = read_asides(place).items()
        self._asides = {name: aside.model_copy(update=forgiven) for name, aside in found}
        self._out: dict[Future[Answer], Unit] = {}

    def answers(self, absence: Absence) -> Iterator[Answer]:
        """Yield one answer per unit, as they come."""
        while self._waiting or self._out:
            yield from self._hand_out()
            done, _ = wait(self._out, LOOK_S, FIRST_COMPLETED)
            absence.look(there=bool(done) or self._pool.room() > 0)
            if not self._out and self._waiting:
                time.sleep(LOOK_S)
            for future in done:
                answer = self._settled(self._out.pop(future), future)
                if answer is not None:
                    yield answer

    def _hand_out(self) -> Iterator[Answer]:
        room = AHEAD * self._pool.room() - len(self._out)
        while self._waiting and room > 0:
            unit = self._waiting.popleft()
            aside = self._asides.get(unit.name)
            if aside and aside.given_up and aside.stamp == unit.stamp(self._order):
                yield self._set_aside(aside)
                continue
            self._out[self._pool.executor.submit(do, unit, self._order)] = unit
            room -= 1

    def _settled(self, unit: Unit, future: Future[Answer]) -> Answer | None:
        """Return what became of a unit; None when it is to be tried again."""
        try:
            answer = future.result()
        except self._pool.died:
            answer = failure(unit, "worker_died", text("error.worker_died"))
        except self._pool.lost as error:
            raise NodeError("cluster_lost") from error
        if answer.became is not Became.FAILED:
            if self._asides.pop(unit.name, None):
                clear_aside(self._place, *unit.name)
            return answer
        aside = self._noted(unit, answer)
        if aside.given_up:
            return self._set_aside(aside)
        self._waiting.append(unit)
        return None

    def _noted(self, unit: Unit, answer: Answer) -> Aside:
        stamp, before = unit.stamp(self._order), self._asides.get(unit.name)
        tries = before.tries if before and before.stamp == stamp else 0
        aside = Aside(
            site=unit.site,
            subject=unit.subject,
            stamp=stamp,
            tries=tries + 1,
            code=answer.code,
            message=answer.message,
        )
        save_aside(self._place, aside)
        self._asides[unit.name] = aside
        return aside

    @staticmethod
    def _set_aside(aside: Aside) -> Answer:
        return Answer(
            aside.site, aside.subject, Became.SET_ASIDE, code=aside.code, message=aside.message
        )
