"""Reply: what goes back to the archive when a study was assessed: SEG, SR, key image and PDF.

Of the study's own visit and of those after it, which are compared with it: a baseline that
arrives late changes them all. Earlier visits do not know what came later, so they stay as sent.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from imaging.messages import text
from imaging.protocol import Protocol
from surveillance.exports.contract import AssessmentRecord, VisitBlock
from surveillance.exports.dicom.export import Exported, Request, export
from surveillance.pacs.listener import Assessed
from surveillance.render.page import Look
from surveillance.reporting import Request as ReportRequest
from surveillance.reporting import chosen_records, report_subjects


@dataclass(frozen=True, slots=True)
class Reply:
    """Makes the objects to be sent, with reports in the language and on the paper of `look`.

    `tell` hears why a visit has no objects or its report no pictures; the rest is sent.
    """

    protocol: Protocol
    look: Look
    tell: Callable[[str], object]

    def __call__(self, assessed: Assessed) -> Sequence[Path]:
        """Write the subject's reports beside the results, then all objects; return their files.

        A study that no visit was assessed from gives ().

        Raises
        ------
        ReportError
            A font or Pango is missing.
        OutputError
            A folder cannot be written.
        """
        record = chosen_records(assessed.output, (assessed.subject,))[assessed.subject]
        visits = visits_from(record, {series.name for series in assessed.study.iterdir()})
        if not visits:
            return ()
        self._report(assessed)
        return [file for visit in self._exported(assessed, visits) for file in visit]

    def _report(self, assessed: Assessed) -> None:
        request = ReportRequest(
            results=assessed.output,
            images=assessed.studies,
            protocol=self.protocol,
            look=self.look,
            subjects=(assessed.subject,),
        )
        for done in report_subjects(request):
            if done.no_pictures:
                reason = done.no_pictures
                self.tell(text("report.pictures_failed", subject=done.subject, reason=reason))

    def _exported(self, assessed: Assessed, visits: tuple[str, ...]) -> list[tuple[Path, ...]]:
        request = Request(
            results=assessed.output,
            output=assessed.folder,
            images=assessed.studies,
            protocol=self.protocol,
            subjects=(assessed.subject,),
            visits=visits,
        )
        done = list(export(request))
        for visit in done:
            if visit.problem is not None:
                self.tell(_why_not(visit))
        return [visit.files for visit in done]


def _why_not(visit: Exported) -> str:
    return text("dicom.written", subject=visit.subject, visit=visit.visit, files=visit.problem)


def visits_from(record: AssessmentRecord, series_uids: set[str]) -> tuple[str, ...]:
    """Return the labels of the first visit with one of these series and of all after it."""
    for position, visit in enumerate(record.visits):
        if _uids(visit) & series_uids:
            return tuple(later.folder for later in record.visits[position:])
    return ()


def _uids(visit: VisitBlock) -> set[str]:
    pair = (visit.series.t2w_fs, visit.series.t1w_fs)
    return {series.series_uid for series in pair if series is not None}
