"""ReaderReads: what readers and the adjudicator signed about a subject, where all is locked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from readers.final import Basis
from readers.form import Item, load_form
from surveillance.exports.cdisc.observation import Evaluator, Observation, When
from surveillance.exports.cdisc.regions import MUSCLE, identified, lesion_place, region_place
from surveillance.exports.cdisc.standard import Test, sdtm_tests
from surveillance.locked_reads import Said, VisitReads

READERS = (
    Evaluator("R1", "INDEPENDENT ASSESSOR", "RADIOLOGIST 1"),
    Evaluator("R2", "INDEPENDENT ASSESSOR", "RADIOLOGIST 2"),
)
ADJUDICATOR = Evaluator("A", "ADJUDICATOR", "ADJUDICATOR")
NOT_DONE = {"not_evaluable", "not_acquired"}


def reader_observations(
    subject: str, reads: Mapping[str, VisitReads], visits: Mapping[str, When]
) -> Iterator[Observation]:
    """Yield the records of all reads of a subject, by visit, first reader first.

    A visit that is not locked by all its readers has none.
    """
    seen: set[str] = set()
    for label, when in visits.items():
        for by, said, accepted in _spoken(reads[label]):
            if by.mark not in seen:
                seen.add(by.mark)
                yield from identified(subject, when, by, "", ("GRAFT",))
            read = _Read(subject, when, by, accepted)
            yield from read.answers(said)
            yield from read.tables(said)
            yield from read.endpoints(said)


def _spoken(reads: VisitReads) -> Iterator[tuple[Evaluator, Said, bool]]:
    """Yield who said what, and whether it is the reading that stands."""
    stands = reads.basis in {Basis.SINGLE, Basis.AGREED}
    for place, said in enumerate(reads.said):
        yield READERS[place], said, stands and place == 0
    if reads.decision is not None:
        yield ADJUDICATOR, reads.decision, True


class _Read:
    """One signed read of one visit."""

    def __init__(self, subject: str, when: When, by: Evaluator, accepted: bool) -> None:
        self.subject, self.when, self.by, self.accepted = subject, when, by, accepted
        self.questions = {question.id: question for question in load_form("1").questions}

    def answers(self, said: Said) -> Iterator[Observation]:
        for test in sdtm_tests("reader"):
            answer = said.answers.get(test.path)
            if answer not in (None, "", []):
                link = region_place(self.by, test.region)
                yield self._result(test, self.questions[test.path], answer, link)

    def tables(self, said: Said) -> Iterator[Observation]:
        for question, group, kind in (("foci", "reader_focus", "F"), ("nodes", "reader_node", "N")):
            columns = {column.id: column for column in self.questions[question].columns}
            for number, row in enumerate(said.answers.get(question) or (), start=1):
                link = lesion_place(self.by, self.when, kind, number)
                yield self._identified(row, link, kind)
                for test in sdtm_tests(group):
                    if row.get(test.path) not in (None, ""):
                        yield self._result(test, columns[test.path], row[test.path], link)

    def _identified(self, row: Mapping[str, Any], link: str, kind: str) -> Observation:
        return Observation(
            "TU", self.subject, self.when, self.by, "LESIDENT", "Lesion Identification",
            "NEW" if row.get("since") == "new" else "FOCAL ABNORMALITY",
            link=link,
            location=(MUSCLE, "LEFT") if kind == "F" else ("LYMPH NODE", ""),
            accepted=self.accepted,
        )  # fmt: skip

    def _result(self, test: Test, item: Item, answer: Any, link: str) -> Observation:
        value, reason = _value(item, answer)
        return Observation(
            "TR", self.subject, self.when, self.by, test.code, test.test, value,
            link=link, unit=test.unit or "", reason=reason, accepted=self.accepted,
        )  # fmt: skip

    def endpoints(self, said: Said) -> Iterator[Observation]:
        for test in sdtm_tests("endpoint"):
            status = said.endpoints.get(test.path)
            if status is not None:
                yield Observation(
                    "RS", self.subject, self.when, self.by, test.code, test.test, status.upper(),
                    accepted=self.accepted,
                )  # fmt: skip


def _value(item: Item, answer: Any) -> tuple[float | str | None, str]:
    """Return the value, or None and the reason there is none."""
    if item.kind == "number":
        return float(answer), ""
    chosen = answer if isinstance(answer, list) else [answer]
    said = "; ".join(option.label.en.upper() for option in item.options if option.id in chosen)
    if set(chosen) & NOT_DONE:
        return None, said
    return {"YES": "Y", "NO": "N"}.get(said, said), ""
