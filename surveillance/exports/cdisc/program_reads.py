"""ProgramReads: what the program measured and answered, one subject's assessment.json."""

from __future__ import annotations

from collections.abc import Iterator

from imaging.messages import text
from surveillance.exports.cdisc.observation import Evaluator, Observation, When, plain_number
from surveillance.exports.cdisc.regions import MUSCLE, identified, lesion_place, region_place
from surveillance.exports.cdisc.standard import CHANGES, Test, change_tests, sdtm_tests
from surveillance.exports.contract import AssessmentRecord, FocusBlock, NoduleBlock, VisitBlock
from surveillance.exports.dicom.numbers import value_at

YES_NO = {True: "Y", False: "N"}


def program_observations(
    record: AssessmentRecord, visits: dict[str, When]
) -> Iterator[Observation]:
    """Yield the program's records of a subject; `visits` are its visits by label."""
    by = Evaluator("M", "ALGORITHM", "GRAFTSITE", f"graftsite {record.program_version}")
    for number, visit in enumerate(record.visits):
        told = _Told(record.subject, visit, visits[visit.folder], by)
        if number == 0:
            yield from identified(record.subject, told.when, by, told.series("t2w_fs"))
        yield from told.results()
        yield from told.foci()
        yield from told.answers()


class _Told:
    """One visit."""

    def __init__(self, subject: str, visit: VisitBlock, when: When, by: Evaluator) -> None:
        self.subject, self.visit, self.when, self.by = subject, visit, when, by
        self.reasons = dict(_reasons(visit))

    def series(self, role: str) -> str:
        block = getattr(self.visit.series, role)
        return "" if block is None else str(block.series_uid)

    def results(self) -> Iterator[Observation]:
        for test in sdtm_tests("program"):
            if self._applies(test.path):
                yield self._result(test, region_place(self.by, test.region))
        for letter, name, block in CHANGES:
            if self._applies(block):
                for test in change_tests(letter, name, block):
                    yield self._result(test, region_place(self.by, "GRAFT"))

    def _applies(self, path: str) -> bool:
        """Whether there is such a block; a baseline has no registration and no change."""
        return getattr(self.visit, path.split(".", maxsplit=1)[0]) is not None

    def _result(self, test: Test, link: str) -> Observation:
        value = self._value(test)
        return Observation(
            "TR", self.subject, self.when, self.by, test.code, test.test, value,
            link=link,
            unit=test.unit or "",
            reason="" if value is not None else self._reason(test),
            reference=self.series(test.series),
            extras=self._extras(test),
        )  # fmt: skip

    def _value(self, test: Test) -> float | str | None:
        value = value_at(self.visit, test.path)
        if isinstance(value, bool):
            return YES_NO[value]
        if isinstance(value, int | float):
            return value
        if value is None and test.undecided_with and value_at(self.visit, test.undecided_with):
            return "INDETERMINATE"
        return None if value is None else _words(str(value))

    def _reason(self, test: Test) -> str:
        """Return why a field is null: as the record says, of itself or of a block it is in."""
        parts = test.path.split(".")
        holders = (".".join(parts[:length]) for length in range(len(parts), 0, -1))
        said = [self.reasons[holder] for holder in holders if holder in self.reasons]
        said += [entry.message for entry in self.visit.quality if entry.code == test.why]
        finding = getattr(self.visit.findings, test.why, None) if test.why else None
        said += ["; ".join(finding.reasons)] if finding else []
        last = "cdisc.no_graft" if self.visit.graft.present is False else "cdisc.no_value"
        return next((reason for reason in said if reason), text(last))

    def _extras(self, test: Test) -> dict[str, str]:
        extras = {}
        interval = value_at(self.visit, test.interval) if test.interval else None
        if isinstance(interval, tuple):
            extras = dict(zip(("TRCILO", "TRCIHI"), map(plain_number, interval), strict=True))
        days = self.visit.days_since_baseline
        if test.code == "GRFTSEEN" and days is not None:
            extras["TRBLDAYS"] = str(days)
        return extras

    def foci(self) -> Iterator[Observation]:
        found: tuple[tuple[str, str, tuple[NoduleBlock | FocusBlock, ...]], ...] = (
            ("T2F", "t2w_fs", self.visit.t2.nodules),
            ("T1F", "t1w_fs", self.visit.t1.foci),
        )
        for name, role, foci in found:
            for number, focus in enumerate(foci, start=1):
                link = lesion_place(self.by, self.when, name, number)
                yield self._identified(focus, link, role)
                for test in sdtm_tests("focus"):
                    if hasattr(focus, test.path):
                        yield self._measured(test, focus, link, role)

    def _identified(self, focus: NoduleBlock | FocusBlock, link: str, role: str) -> Observation:
        new = getattr(focus, "new_since_baseline", None)
        place = focus.centroid_lps_mm or ()
        positions = zip(("TUPOSL", "TUPOSP", "TUPOSS"), map(plain_number, place), strict=False)
        return Observation(
            "TU", self.subject, self.when, self.by, "LESIDENT", "Lesion Identification",
            "NEW" if new else "FOCAL ABNORMALITY",
            link=link,
            reference=self.series(role),
            location=(MUSCLE, "LEFT"),
            extras=dict(positions),
        )  # fmt: skip

    def _measured(
        self, test: Test, focus: NoduleBlock | FocusBlock, link: str, role: str
    ) -> Observation:
        return Observation(
            "TR", self.subject, self.when, self.by, test.code, test.test,
            float(getattr(focus, test.path)),
            link=link, unit=test.unit or "", reference=self.series(role),
        )  # fmt: skip

    def answers(self) -> Iterator[Observation]:
        flag = self.visit.surveillance_flag
        for test in sdtm_tests("endpoint"):
            if test.path == "surveillance_flag":
                value, reasons = flag.level and flag.level.upper(), flag.reasons
            else:
                block = getattr(self.visit.findings, test.path)
                value, reasons = block.status.upper(), block.reasons
            said = "; ".join(reasons)
            yield Observation(
                "RS", self.subject, self.when, self.by, test.code, test.test, value,
                reason="" if value else said or text("cdisc.no_value"),
                extras={"RSRSN": said} if value and said else {},
            )  # fmt: skip


def _reasons(visit: VisitBlock) -> Iterator[tuple[str, str]]:
    for entry in visit.quality:
        if entry.code == "NOT_MEASURED":
            listed, _, reason = entry.message.partition(": ")
            for name in listed.split(", "):
                yield name, reason


def _words(value: str) -> str:
    return value.replace("_", " ").upper()
