"""Export: the results of `graftsite assess` as DICOM, a folder a visit; no visit stops another."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError
from pydicom import Dataset

from imaging.errors import GeometryError, InputError, UsageError
from imaging.loaders import find_series
from imaging.messages import text
from imaging.protocol import Protocol
from surveillance.exports.contract import AssessmentRecord
from surveillance.exports.dicom.instance import save_instance
from surveillance.exports.dicom.visit_objects import (
    NAMES,
    Images,
    Results,
    subject_report,
    visit_objects,
)
from surveillance.exports.subject_folder import RECORD
from surveillance.exports.writing import make_folder


@dataclass(frozen=True, slots=True)
class Request:
    """What the user asked for; empty `subjects` or `visits` mean all."""

    results: Path
    output: Path
    images: tuple[Path, ...]
    protocol: Protocol
    subjects: tuple[str, ...] = ()
    visits: tuple[str, ...] = ()
    labelmap: bool = False
    debug: bool = False


@dataclass(frozen=True, slots=True)
class Exported:
    """What became of one visit: the files written, or why none could be."""

    subject: str
    visit: str
    files: tuple[Path, ...] = ()
    problem: str | None = None


def export(request: Request) -> Iterator[Exported]:
    """Write the objects of every visit asked for, and yield each as it is done.

    Raises
    ------
    UsageError
        There are no results, no images are named, an image folder does not exist, or a subject
        or visit is not among the results.
    OutputError
        The output folder cannot be written.
    """
    chosen = _chosen(request)
    if not request.images:
        raise UsageError("export_no_images")
    for path in request.images:
        if not path.exists():
            raise UsageError("no_such_input", path=path)
    make_folder(request.output)
    found = find_series(request.images, request.protocol).series
    images = Images(found, request.protocol.series)
    for results in chosen:
        yield from _subject(results, images, request)


def _chosen(request: Request) -> list[Results]:
    records = sorted(request.results.glob(f"subjects/*/{RECORD}"))
    if not records:
        raise UsageError("export_no_results", path=request.results)
    results = [Results(path.parent, _record(path)) for path in records]
    known = [one.record.subject for one in results]
    for wanted in request.subjects:
        if wanted not in known:
            raise UsageError("no_such_subject", subject=wanted, subjects=", ".join(known))
    if request.subjects:
        results = [one for one in results if one.record.subject in request.subjects]
    labels = sorted({visit.folder for one in results for visit in one.record.visits})
    for wanted in request.visits:
        if wanted not in labels:
            raise UsageError("export_no_visit", visit=wanted, visits=", ".join(labels))
    return results


def _record(path: Path) -> AssessmentRecord:
    try:
        return AssessmentRecord.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise UsageError("export_record", file=path) from error


def _subject(results: Results, images: Images, request: Request) -> Iterator[Exported]:
    wanted = [v for v in results.record.visits if not request.visits or v.folder in request.visits]
    for visit in wanted:
        subject, label = results.record.subject, visit.folder
        try:
            objects = visit_objects(results, visit, images, labelmap=request.labelmap)
            if visit is wanted[-1]:
                objects |= subject_report(results, objects)
        except (InputError, GeometryError) as error:
            yield Exported(subject, label, problem=str(error))
            continue
        except Exception as error:  # the other visits must not suffer from a bug met in this one
            if request.debug:
                raise
            problem = text("error.export_failed", kind=type(error).__name__)
            yield Exported(subject, label, problem=problem)
            continue
        yield Exported(subject, label, _save(objects, request.output / subject / label))


def _save(objects: dict[str, Dataset], folder: Path) -> tuple[Path, ...]:
    """Write one visit; what an earlier export left there and this one has not would mislead."""
    for name in sorted(objects):
        save_instance(objects[name], folder / name)
    for name in set(NAMES) - set(objects):
        (folder / name).unlink(missing_ok=True)
    return tuple(folder / name for name in sorted(objects))
