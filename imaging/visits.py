"""Visits: from series to subjects with named timepoints, and never two people in one.

A visit's name comes from the clinical trial's own words where the images carry them, else from
the days since baseline and the protocol's windows; what fits no window is unscheduled.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from imaging.errors import SubjectError
from imaging.loaders.refusal import Refusal, refuse
from imaging.messages import text
from imaging.one_person import conflict, merged_identity
from imaging.protocol import Protocol, SeriesLimits
from imaging.selection import choose, supporting
from imaging.series import Role, Series
from imaging.sessions import Session, named_sessions, sessions_of
from imaging.visit import Subject, Visit, VisitName


@dataclass(frozen=True, slots=True, eq=False)
class Arrangement:
    """All subjects with at least one usable visit, and what could not be arranged."""

    subjects: tuple[Subject, ...]
    refusals: tuple[Refusal, ...]


def arrange(series: Sequence[Series], protocol: Protocol) -> Arrangement:
    """Arrange series into subjects and visits.

    Parameters
    ----------
    series
        As `imaging.loaders.find_series` gives them, in any order.
    protocol
        Its `[visits]` windows and `[series]` limits are used.

    Returns
    -------
    Arrangement
        No series gives no subjects. A subject whose images belong to two people, or cannot be
        put in order of time, is one refusal; so is a visit without an endpoint series.
    """
    people: dict[str, list[Series]] = defaultdict(list)
    for one in merged_identity(series):
        people[one.info.identity.subject].append(one)
    subjects: list[Subject] = []
    refusals: list[Refusal] = []
    for name in sorted(people):
        mine = sorted(people[name], key=lambda s: (s.info.uid, s.files, s.info.part))
        try:
            visits, without = _visits(name, mine, protocol)
        except SubjectError as error:
            refusals.append(refuse(error, _files(mine), source=name, subject=name))
            continue
        refusals += without
        if visits:
            subjects.append(Subject(name, tuple(visits)))
    return Arrangement(tuple(subjects), tuple(refusals))


def _files(series: Iterable[Series]) -> set[str]:
    return {file for one in series for file in one.files}


def _visits(
    subject: str, series: list[Series], protocol: Protocol
) -> tuple[list[Visit], list[Refusal]]:
    different = conflict(subject, series)
    if different is not None:
        raise different
    sessions = named_sessions(subject, sessions_of(series), protocol.visits)
    notes = _identity_notes(series)
    visits, refusals = [], []
    for session, label in _labelled(sessions):
        visit = _visit(session, label, sessions, protocol.series)
        if visit.t2w_fs is None and visit.t1w_fs is None:
            error = SubjectError(
                "visit_without_endpoint", subject=subject, visit=label, found=_roles(session)
            )
            refusals.append(refuse(error, _files(session.series), subject, subject))
        else:
            visits.append(replace(visit, notes=visit.notes + notes))
    return visits, refusals


def _identity_notes(series: list[Series]) -> tuple[str, ...]:
    patients = {s.info.identity.patient for s in series} - {None}
    return (text("visit.patient_ids", count=len(patients)),) if len(patients) > 1 else ()


def _roles(session: Session) -> str:
    return ", ".join(sorted({one.role.value for one in session.series}))


def _labelled(sessions: list[Session]) -> list[tuple[Session, str]]:
    """Give each session a label that is unique within the subject."""
    seen: dict[VisitName, int] = defaultdict(int)
    labelled = []
    for session in sessions:
        seen[session.name] += 1
        count = seen[session.name]
        labelled.append((session, session.name.value + (f"-{count}" if count > 1 else "")))
    return labelled


def _visit(session: Session, label: str, sessions: list[Session], limits: SeriesLimits) -> Visit:
    t2w_fs, why_t2 = choose(session.series, Role.T2W_FS, limits)
    t1w_fs, why_t1 = choose(session.series, Role.T1W_FS, limits)
    baseline = next((s for s in sessions if s.name is VisitName.BASELINE), None)
    return Visit(
        name=session.name,
        label=label,
        study_date=session.date,
        days_since_baseline=_days_since(session, baseline),
        t2w_fs=t2w_fs,
        t1w_fs=t1w_fs,
        supporting=supporting(session.series, limits),
        notes=session.notes + why_t2 + why_t1,
    )


def _days_since(session: Session, baseline: Session | None) -> int | None:
    if baseline is None:
        return None
    if session.date is not None and baseline.date is not None:
        return (session.date - baseline.date).days
    if session.days is not None and baseline.days is not None:
        return round(session.days - baseline.days)
    return 0 if session is baseline else None
