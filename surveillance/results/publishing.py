"""Publishing: a subject's folder of results becomes objects of a store, and then a commit."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from surveillance.batch import problems_of, was_seen
from surveillance.exports.contract import AssessmentRecord
from surveillance.results.commit import Commit, Problem, latest, objects_of, save
from surveillance.results.place import Place
from surveillance.results.table import rows_of


@dataclass(frozen=True, slots=True)
class Cost:
    """What one subject took: seconds by the clock and of the processor, memory of the process."""

    wall_s: float
    cpu_s: float
    peak_mb: float


def publish(
    place: Place, site: str, key: str, folder: Path, record: AssessmentRecord, cost: Cost
) -> Commit:
    """Write all files of `folder` as objects under `key`, then the commit that names them.

    Killed before the commit, nothing has happened. Two processes that do the same subject write
    the same bytes under the same names.

    Raises
    ------
    OutputError
        The store cannot be written.
    """
    files = {}
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        name, content = file.relative_to(folder).as_posix(), file.read_bytes()
        place.write(f"{objects_of(site, record.subject, key)}/{name}", content)
        files[name] = hashlib.sha256(content).hexdigest()
    number, _ = latest(place, site, record.subject)
    commit = _commit(site, key, files, record, cost)
    save(place, commit, number + 1)
    return commit


def _commit(
    site: str, key: str, files: dict[str, str], record: AssessmentRecord, cost: Cost
) -> Commit:
    problems = (Problem(visit=p.visit, code=p.code, message=p.message) for p in problems_of(record))
    return Commit(
        site=site,
        subject=record.subject,
        key=key,
        program_version=record.program_version,
        protocol_sha256=record.protocol.sha256,
        committed=datetime.now(UTC),
        seen=was_seen(record),
        wall_s=round(cost.wall_s, 3),
        cpu_s=round(cost.cpu_s, 3),
        peak_mb=round(cost.peak_mb, 1),
        files=files,
        rows=rows_of(record, site, key),
        problems=tuple(problems),
    )
