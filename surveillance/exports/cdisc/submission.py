"""Submission: what all files of one export have in common; nothing in it tells when it was run."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from imaging.errors import UsageError

DEFINE = "define.xml"
RUN = "run.json"


@dataclass(frozen=True, slots=True)
class Submission:
    """Study, and the assessment it comes from; `created` is when the assessment ended, in UTC."""

    study: str
    created: str
    program_version: str
    fingerprint: str

    @property
    def study_oid(self) -> str:
        """OID of the study."""
        return f"STUDY.{self.study}"

    @property
    def metadata_oid(self) -> str:
        """OID of the metadata version."""
        return f"MDV.{self.study}.SDTMIG.3.4"

    @property
    def file_oid(self) -> str:
        """Prefix of file OIDs: other input gives others."""
        return f"graftsite/{self.study}/{self.fingerprint}"

    @property
    def moment(self) -> datetime:
        """The time of `created`."""
        return datetime.fromisoformat(self.created)


def submission_of(results: Path) -> Submission:
    """Read the run of a folder of results.

    Raises
    ------
    UsageError
        There is no run.json of this program: the assessment did not end, or is another's.
    """
    try:
        run = json.loads((results / RUN).read_text(encoding="utf-8"))
        return Submission(
            study=run["protocol"]["id"],
            created=f"{datetime.fromisoformat(run['ended']).astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
            program_version=run["program_version"],
            fingerprint=run["input_fingerprint"],
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError("cdisc_no_run", path=results) from error
