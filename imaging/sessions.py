"""Session: the series of one day or one time point, before and after it has a visit's name."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from datetime import date

from imaging.errors import SubjectError
from imaging.messages import text
from imaging.protocol import VisitWindows
from imaging.schedule import days_in, schedule, visit_of_days, visit_of_text
from imaging.series import Series
from imaging.visit import VisitName


@dataclass(frozen=True, slots=True, eq=False)
class Session:
    """Series acquired together.

    `days` is what the trial's modules say, from the event they count from; `name` is
    UNSCHEDULED until `named_sessions` has decided.
    """

    series: tuple[Series, ...]
    date: date | None
    time_point: str | None
    days: float | None
    name: VisitName = VisitName.UNSCHEDULED
    notes: tuple[str, ...] = ()


def sessions_of(series: Sequence[Series]) -> list[Session]:
    """Group series by date; without dates by time point, without either by study."""
    groups: dict[Hashable, list[Series]] = defaultdict(list)
    for one in series:
        who = one.info.identity
        groups[who.study_date or who.time_point or who.days_from_event or who.study_uid].append(one)
    return [_session(group) for group in groups.values()]


def _session(series: list[Series]) -> Session:
    people = [one.info.identity for one in series]
    points = sorted({who.time_point for who in people if who.time_point})
    days = sorted({who.days_from_event for who in people if who.days_from_event is not None})
    return Session(
        series=tuple(series),
        date=people[0].study_date,
        time_point=points[0] if points else None,
        days=days[0] if days else None,
    )


def named_sessions(subject: str, sessions: list[Session], windows: VisitWindows) -> list[Session]:
    """Name all sessions of a subject and put them in order of time.

    Raises
    ------
    SubjectError
        Several sessions have neither date nor time point, so their order is unknown.
    """
    placeless = [s for s in sessions if s.date is None and s.time_point is None and s.days is None]
    if placeless and len(sessions) > 1:
        raise SubjectError("visit_order_unknown", subject=subject, count=len(placeless))
    stated = [replace(s, name=_stated(s, windows)) for s in sessions if _says(s, windows)]
    stated = _with_baseline(stated, windows)
    silent = [s for s in sessions if not _says(s, windows)]
    named = stated + _by_date(silent, stated, windows)
    merged = _same_time_point(named, windows)
    return _in_order(_one_of_each(merged, windows), windows)


def _says(session: Session, windows: VisitWindows) -> bool:
    named = session.time_point and visit_of_text(session.time_point, windows)
    return bool(named) or session.days is not None


def _stated(session: Session, windows: VisitWindows) -> VisitName:
    named = visit_of_text(session.time_point, windows) if session.time_point else None
    return named or visit_of_days(session.days or 0.0, windows)


def _with_baseline(stated: list[Session], windows: VisitWindows) -> list[Session]:
    """Let the first session counted from an event be the baseline when none is at day 0.

    The event is often the transplantation and the baseline images follow days later; a session
    that late that it could be the first follow-up is none.
    """
    counted = [s for s in stated if s.days is not None and s.name is VisitName.UNSCHEDULED]
    if not counted or any(s.name is VisitName.BASELINE for s in stated):
        return stated
    first = min(counted, key=lambda s: s.days or 0.0)
    if (first.days or 0.0) >= windows.d28_day - windows.d28_window_days:
        return stated
    return [replace(s, name=VisitName.BASELINE) if s is first else s for s in stated]


def _by_date(silent: list[Session], stated: list[Session], windows: VisitWindows) -> list[Session]:
    """Name sessions by days since baseline: the stated one, else the first of all."""
    if not silent:
        return []
    known = [s for s in stated if s.name is VisitName.BASELINE and s.date]
    if stated and not known:  # the baseline is missing: counting from another visit would lie
        return silent
    dated = [s.date for s in (known or silent) if s.date]
    first = min(dated, default=None)
    named = []
    for session in silent:
        days = 0 if first is None or session.date is None else (session.date - first).days
        before = days < 0 or (days == 0 and bool(known))
        name = VisitName.UNSCHEDULED if before else visit_of_days(days, windows)
        named.append(replace(session, name=name))
    return named


def _same_time_point(sessions: list[Session], windows: VisitWindows) -> list[Session]:
    """Join sessions that state the same time point: a visit may take some days, not months."""
    groups: dict[Hashable, list[Session]] = defaultdict(list)
    for session in sessions:
        groups[session.time_point or id(session)].append(session)
    near = (part for group in groups.values() for part in _near(group, windows.session_days_max))
    return [_joined(part) for part in near]


def _near(group: list[Session], days_max: int) -> list[list[Session]]:
    """Split sessions where more days lie between two neighbours than one visit takes."""
    parts: list[list[Session]] = []
    for session in sorted(group, key=lambda s: s.date or date.max):
        before = parts[-1][-1].date if parts else None
        apart = (session.date - before).days if session.date and before else 0
        if parts and apart <= days_max:
            parts[-1].append(session)
        else:
            parts.append([session])
    return parts


def _joined(group: list[Session]) -> Session:
    if len(group) == 1:
        return group[0]
    ordered = sorted(group, key=lambda s: s.date or date.max)
    series = tuple(one for session in ordered for one in session.series)
    return replace(ordered[0], series=series, notes=(text("visit.joined", count=len(group)),))


def _one_of_each(sessions: list[Session], windows: VisitWindows) -> list[Session]:
    """Keep a scheduled name for the session nearest to its due day; others are unscheduled."""
    first = min((s.date for s in sessions if s.name is VisitName.BASELINE and s.date), default=None)
    groups: dict[VisitName, list[Session]] = defaultdict(list)
    for session in sessions:
        groups[session.name].append(session)
    result = groups.pop(VisitName.UNSCHEDULED, [])
    for name, group in groups.items():
        due = schedule(windows).get(name, (0, 0))[0]
        nearest, *others = sorted(group, key=lambda s: _distance(s, due, first))
        result.append(nearest)
        note = text("visit.two_in_window", visit=name.value)
        result += [replace(s, name=VisitName.UNSCHEDULED, notes=(*s.notes, note)) for s in others]
    return result


def _distance(session: Session, due: int, first: date | None) -> tuple[float, str, str]:
    days = _day_of(session, first)
    return (
        float("inf") if days is None else abs(days - due),
        str(session.date),
        session.time_point or "",
    )


def _day_of(session: Session, first: date | None) -> float | None:
    if session.days is not None:
        return session.days
    if session.date is not None and first is not None:
        return (session.date - first).days
    return days_in(session.time_point) if session.time_point else None


def _in_order(sessions: list[Session], windows: VisitWindows) -> list[Session]:
    """Order by date when all have one, else by day, baseline first."""
    dated = all(session.date for session in sessions)
    due = {VisitName.BASELINE: 0} | {name: day for name, (day, _) in schedule(windows).items()}

    def key(session: Session) -> tuple[float, float, str]:
        if dated and session.date:
            return float(session.date.toordinal()), 0.0, session.time_point or ""
        day = _day_of(session, None)
        scheduled = float(due.get(session.name, 10**6))
        return scheduled if day is None else day, scheduled, session.time_point or ""

    return sorted(sessions, key=key)
