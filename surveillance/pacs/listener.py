"""Listener: a study comes in, is assessed when it is complete, and its results go back.

Only MR images are accepted: an archive that forwards everything would otherwise send us our own
results, which would make the study new again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pydicom import dcmread

from imaging.errors import GraftsiteError, NodeError
from imaging.loaders.dicom_header import MR_CLASSES
from imaging.loaders.identity import identity_of, pseudonym
from imaging.messages import text
from imaging.protocol import Protocol
from surveillance.batch import Outcome
from surveillance.exports.writing import make_folder
from surveillance.pacs.configuration import Configuration, Listen
from surveillance.pacs.connection import node_named
from surveillance.pacs.inbox import Inbox
from surveillance.pacs.parcel import find_parcels
from surveillance.pacs.push import push
from surveillance.pacs.receiving import Keeping, receiver
from surveillance.pacs.results import assess_studies
from surveillance.pacs.retry import Retry
from surveillance.pacs.stock import opened

OUTGOING = "outgoing"


@dataclass(frozen=True, slots=True)
class Assessed:
    """One assessed study, from which results for the archive can be made.

    Parameters
    ----------
    output
        The folder of results of `graftsite assess`.
    study
        The folder of the study that came: a folder a series, named by UID.
    studies
        The folders of all studies of the subject that ever came, this one among them.
    folder
        A place for the DICOM files to be sent.
    """

    output: Path
    subject: str
    study: Path
    studies: tuple[Path, ...]
    folder: Path


Exporter = Callable[[Assessed], Sequence[Path]]
"""Makes what goes back to the archive; returns DICOM files."""


@dataclass(slots=True)
class Listener:
    """Watches an inbox.

    Parameters
    ----------
    retry
        How patiently results are sent, and how the world is told and waited for.
    """

    configuration: Configuration
    settings: Listen
    inbox: Inbox
    keeping: Keeping
    retry: Retry
    exporter: Exporter
    protocol: Protocol
    _looked: dict[str, float] = field(default_factory=dict)

    def look(self) -> None:
        """Deal with every study that is complete now; what fails is tried again later."""
        if self.keeping.trouble:
            self.retry.tell(str(self.keeping.trouble))
            self.keeping.trouble = None
        for study in self.inbox.waiting():
            if self._is_due(study) and self._is_complete(study):
                try:
                    self._deal_with(study)
                except GraftsiteError as error:
                    self.retry.tell(text("listen.later", study=_alias(study), error=error))

    def _is_due(self, study: str) -> bool:
        """Whether nothing came for the quiet period, nor was the study looked at during it."""
        quiet_for_s = self.inbox.quiet_for_s(study)
        looked = self._looked.get(study)
        waited_s = quiet_for_s if looked is None else self.inbox.clock() - looked
        return min(quiet_for_s, waited_s) >= self.settings.quiet_s

    def _is_complete(self, study: str) -> bool:
        """Whether all images are here that the archive counts, as far as it can be asked."""
        self._looked[study] = self.inbox.clock()
        absent = self._absent(study)
        if not absent:
            return True
        late = self.inbox.quiet_for_s(study) >= self.settings.longest_wait_s
        key = "listen.incomplete" if late else "listen.waiting"
        self.retry.tell(text(key, study=_alias(study), absent=absent))
        return late

    def _absent(self, study: str) -> int:
        """Return how many MR images the archive has and we have not; 0 when it cannot be asked."""
        if self.settings.count_from is None:
            return 0
        try:
            node = node_named(self.settings.count_from, self.configuration)
            listed = node.instances([study])
        except NodeError as error:
            self.retry.tell(str(error))
            return 0
        images = (one for one in listed if one.sop_class in MR_CLASSES)
        return sum(not self.inbox.stock.path_of(one).is_file() for one in images)

    def _deal_with(self, study: str) -> None:
        content = self.inbox.content(study)
        subject = self._subject_of(study)
        outcome = assess_studies(self._studies_of(subject), self.settings.output, self.protocol)
        self._say(study, subject, outcome)
        if subject in outcome.assessed and self.settings.send_to:
            self._send(study, subject, self.settings.send_to)
        self.inbox.delivered(study, content)

    def _say(self, study: str, subject: str, outcome: Outcome) -> None:
        key = "listen.assessed" if subject in outcome.assessed else "listen.not_assessed"
        self.retry.tell(text(key, study=_alias(study), subject=subject))
        for code, count in sorted(Counter(p.code for p in outcome.problems).items()):
            self.retry.tell(text("listen.problems", count=count, code=code))

    def _send(self, study: str, subject: str, node: str) -> None:
        folder = self.settings.folder / OUTGOING / study
        make_folder(folder)
        own, studies = self.inbox.stock.folder / study, self._studies_of(subject)
        files = self.exporter(Assessed(self.settings.output, subject, own, studies, folder))
        parcels, _ = find_parcels(files)
        sent = push(node_named(node, self.configuration), parcels, self.retry)
        self.retry.tell(text("listen.sent", count=sent.sent + sent.there_before, node=node))
        for _, why in sent.refused:
            self.retry.tell(text("pacs.refused", file=subject, node=node, why=why))

    def _studies_of(self, subject: str) -> tuple[Path, ...]:
        """Return the folders of all studies of a subject that ever came: the baseline counts."""
        studies = sorted(self.inbox.stock.studies())
        return tuple(
            self.inbox.stock.folder / study
            for study in studies
            if self._subject_of(study) == subject
        )

    def _subject_of(self, study: str) -> str:
        first = min(self.inbox.stock.files_of(study))
        header = dcmread(self.inbox.stock.folder / first, stop_before_pixels=True)
        return identity_of(header).subject


def _alias(study: str) -> str:
    return pseudonym(study, "study-")


def listen(
    configuration: Configuration,
    settings: Listen,
    clock: Callable[[], float],
    retry: Retry,
    exporter: Exporter,
    protocol: Protocol,
) -> None:
    """Receive, assess and send until interrupted; a later call goes on with what is unfinished.

    Raises
    ------
    ConfigurationError
        The port is taken, or a certificate cannot be read.
    OutputError
        A folder cannot be written, or another process is listening into it.
    """
    local = configuration.local.receiver
    assert local is not None  # noqa: S101  (load_configuration refuses [listen] without it)
    make_folder(settings.output)
    with opened(settings.folder / "images", durable=True) as stock:
        inbox = Inbox(stock, clock)
        keeping = Keeping(inbox.keep)
        listener = Listener(configuration, settings, inbox, keeping, retry, exporter, protocol)
        with receiver(configuration.local.ae_title, local, keeping, MR_CLASSES):
            place = f"{local.bind}:{local.port}"
            retry.tell(text("listen.ready", title=configuration.local.ae_title, place=place))
            while True:
                listener.look()
                retry.sleep(min(settings.quiet_s / 4, 1.0))
