"""Station: what a running reading application has: cases, reads, and the rules of both."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from imaging.protocol import Protocol
from imaging.visit import VisitName
from readers import cases as registered
from readers.actor import SYSTEM
from readers.anchor import make_anchor
from readers.cases import CaseVisit, is_early
from readers.masks import keep_machine
from readers.paradigm import Paradigm, load_paradigm
from readers.store import Store, open_store
from surveillance.cases.case import Case
from surveillance.cases.library import Library, assessed_subjects, imaged_subjects
from surveillance.cases.memory import Memory
from surveillance.configuration import Configuration
from surveillance.errors import CaseImportError
from surveillance.exports.contract import VisitBlock


@dataclass(frozen=True, slots=True)
class Station:
    """An open station; all sessions of the process share it."""

    configuration: Configuration
    protocol: Protocol
    paradigm: Paradigm
    store: Store
    library: Library


def open_station(configuration: Configuration, protocol: Protocol) -> Station:
    """Open data folder and database; both are made when they are new.

    Raises
    ------
    StoreError, AuditError
        The database cannot be opened, or was cut.
    OutputError
        The data folder cannot be made.
    """
    storage = configuration.storage
    library = Library(storage.data, Memory(storage.memory_mb * 2**20))
    anchor = make_anchor(storage.keys_folder)
    store = open_store(storage.database_url, policy=configuration.accounts, anchor=anchor)
    return Station(configuration, protocol, load_paradigm(), store, library)


def import_results(station: Station, results: Path, images: tuple[Path, ...]) -> tuple[Case, ...]:
    """Import every assessed subject of a folder of results and register it to be read.

    Raises
    ------
    CaseImportError
        The images of a subject are not there, or not those of its results.
    """
    records = assessed_subjects(results)
    subjects = imaged_subjects(images, station.protocol) if records else {}
    made = []
    for name, record in records.items():
        if name not in subjects:
            raise CaseImportError("case_no_images", subject=name)
        masks = results / "subjects" / name
        made.append(station.library.add(subjects[name], record, masks, station.protocol))
        register(station, made[-1])
    return tuple(made)


def register(station: Station, case: Case) -> None:
    """Tell the store of reads about a case; what it knows already changes nothing."""
    visits = [_visit(case, n) for n in range(len(case.visits)) if case.visits[n].stored.images]
    labels = {visit.label for visit in visits}
    machine = {b.folder: machine_result(case, b) for b in case.record.visits if b.folder in labels}
    version = registered.register(station.store, SYSTEM, case.subject, visits, machine)
    for visit in case.visits:
        if visit.label in labels and visit.graft.mask is not None:
            keep_machine(station.store, SYSTEM, version.id, visit.label, "graft", visit.graft.mask)


def _visit(case: Case, number: int) -> CaseVisit:
    visit, protocol = case.visits[number], case.manifest.protocol
    stored = visit.stored
    return CaseVisit(
        label=stored.label,
        baseline=number == 0 and stored.name is VisitName.BASELINE,
        days=stored.days_since_baseline,
        early=is_early(stored.name, stored.days_since_baseline, protocol),
        images=stored.images,
        grid=visit.grid,
    )


def machine_result(case: Case, block: VisitBlock) -> dict[str, object]:
    """Return what the program found at a visit, as the store keeps it until a reader has locked."""
    findings = block.findings
    return {
        "endpoints": {name: getattr(findings, name).status for name in type(findings).model_fields},
        "case": case.version,
        "visit": block.model_dump(mode="json"),
    }
