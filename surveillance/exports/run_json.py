"""run.json: what produced a result folder; nothing in it names the machine."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from imaging.protocol import Protocol
from surveillance.exports.contract import AssessmentRecord
from surveillance.exports.writing import write_text
from surveillance.fingerprint import digest, program_version


def save_run(
    path: Path, protocol: Protocol, records: Iterable[AssessmentRecord], started: datetime
) -> None:
    """Write the program's version, the protocol's hash, the input's fingerprint, start and end."""
    content = {
        "program": "graftsite",
        "program_version": program_version(),
        "protocol": {"id": protocol.id, "version": protocol.version, "sha256": protocol.sha256},
        "input_fingerprint": digest(record.fingerprint for record in records),
        "started": started.isoformat(timespec="seconds"),
        "ended": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    write_text(path, json.dumps(content, indent=2) + "\n")
