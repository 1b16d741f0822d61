"""Summary of a store: what is assessed, flagged, set aside, and what it cost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from statistics import median, quantiles
from typing import Literal

import pyarrow as pa
from pydantic import BaseModel, ConfigDict

from surveillance.results.aside import Aside, read_asides
from surveillance.results.commit import COMMITS, Commit, holding, read_all
from surveillance.results.place import Place
from surveillance.results.table import cohort_rows, is_fresh

Level = Literal["amber", "red"]
AT_LEAST: dict[Level, tuple[str, ...]] = {"amber": ("amber", "red"), "red": ("red",)}


class Flagged(BaseModel):
    """A subject whose last judged visit is flagged."""

    model_config = ConfigDict(frozen=True)

    site: str
    subject: str
    visit: str
    flag: str


class Checked(BaseModel):
    """What a scheduler is told, as one JSON document.

    Parameters
    ----------
    flags
        Subjects by the flag of their last visit that could be judged; `none` where no visit could.
    unseen
        Subjects without any T2W-FS to look at.
    """

    model_config = ConfigDict(frozen=True)

    schema_version: Literal["1"] = "1"
    subjects: int
    visits: int
    flags: dict[str, int]
    flagged: tuple[Flagged, ...]
    unseen: int
    set_aside: tuple[Aside, ...]


class Costs(BaseModel):
    """What subjects took: seconds by the wall clock, and the largest memory of any worker."""

    model_config = ConfigDict(frozen=True)

    median_s: float
    p95_s: float
    longest_s: float
    cpu_s: float
    peak_mb: float


class Status(BaseModel):
    """`graftsite status`: the check, the costs, and whether the cohort table is up to date."""

    model_config = ConfigDict(frozen=True)

    check: Checked
    costs: Costs | None
    table_is_fresh: bool


def check(place: Place, level: Level) -> Checked:
    """Return the state of all committed subjects, with those flagged `level` or worse.

    A visit that could not be judged takes no earlier flag back.

    Raises
    ------
    ResultsError
        A commit or the table is damaged.
    """
    table = cohort_rows(place)
    last = _last_judged(table)
    flags = Counter(row["flag"] or "none" for row in last.values())
    flagged = (
        Flagged(site=row["site"], subject=row["subject"], visit=row["label"], flag=row["flag"])
        for row in last.values()
        if row["flag"] in AT_LEAST[level]
    )
    asides = sorted(read_asides(place).items())
    return Checked(
        subjects=len(last),
        visits=table.num_rows,
        flags={name: flags[name] for name in ("green", "amber", "red", "none")},
        flagged=tuple(flagged),
        unseen=len(set(last) - _seen(table)),
        set_aside=tuple(aside for _, aside in asides),
    )


def _last_judged(table: pa.Table) -> dict[tuple[str, str], dict[str, str]]:
    """Return the row of each subject's last judged visit, else that of its last visit."""
    last: dict[tuple[str, str], dict[str, str]] = {}
    for row in table.select(["site", "subject", "label", "flag"]).to_pylist():
        who = row["site"], row["subject"]
        if row["flag"] or who not in last or not last[who]["flag"]:
            last[who] = row
    return last


def _seen(table: pa.Table) -> set[tuple[str, str]]:
    rows = table.select(["site", "subject", "graft_present"]).to_pylist()
    return {(row["site"], row["subject"]) for row in rows if row["graft_present"] is not None}


def status(place: Place) -> Status:
    """Return what a person wants to know of a store; it reads every commit.

    Raises
    ------
    ResultsError
        A commit or the table is damaged.
    """
    commits = list(read_all(place, holding(place.entries(COMMITS))))
    return Status(
        check=check(place, "amber"), costs=_costs(commits), table_is_fresh=is_fresh(place)
    )


def _costs(commits: Sequence[Commit]) -> Costs | None:
    if not commits:
        return None
    walls = sorted(commit.wall_s for commit in commits)
    return Costs(
        median_s=median(walls),
        p95_s=quantiles(walls, n=20, method="inclusive")[-1] if len(walls) > 1 else walls[0],
        longest_s=walls[-1],
        cpu_s=round(sum(commit.cpu_s for commit in commits), 1),
        peak_mb=max(commit.peak_mb for commit in commits),
    )
