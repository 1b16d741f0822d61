"""Dimse: an archive that speaks DICOM's own protocol (C-ECHO, C-FIND, C-GET, C-MOVE, C-STORE)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby

from pydicom import Dataset
from pydicom.uid import UID
from pynetdicom import build_context, build_role, evt
from pynetdicom.association import Association
from pynetdicom.presentation import PresentationContext

from imaging.errors import NodeError, TransferError
from surveillance.pacs.association import CONTEXTS_MAX, VERIFICATION, associated
from surveillance.pacs.configuration import DimseAddress, Local
from surveillance.pacs.node import Instance, Keep, Parcel, Query, Sent, instance_of
from surveillance.pacs.node import matching_studies as matching
from surveillance.pacs.parcel import load_parcel, not_taken
from surveillance.pacs.receiving import SYNTAXES, Keeping, receiver
from surveillance.pacs.status import SUCCESS, is_done, is_out_of_resources, is_pending, meaning

FIND = "1.2.840.10008.5.1.4.1.2.2.1"
MOVE = "1.2.840.10008.5.1.4.1.2.2.2"
GET = "1.2.840.10008.5.1.4.1.2.2.3"
"""Study Root Query/Retrieve (PS3.4 annex C): all archives have it."""
INSTANCES_A_REQUEST = 100
"""UIDs in one C-GET or C-MOVE; a longer list makes a message that some archives refuse."""

Responses = Iterator[tuple[Dataset, Dataset | None]]


@dataclass(frozen=True, slots=True)
class Dimse:
    """A DIMSE node; an operation holds one association, however many images it moves."""

    name: str
    address: DimseAddress
    local: Local

    def echo(self) -> None:
        """Ask whether the node is there and takes us for whom we say we are."""
        with self._speaking(VERIFICATION) as association:
            self._end("C-ECHO", association.send_c_echo())

    def studies(self, query: Query) -> tuple[str, ...]:
        """Return the Study Instance UIDs that the query finds, sorted."""
        found: set[str] = set()
        with self._speaking(FIND) as association:
            for keyword, value in query.questions():
                question = {"StudyInstanceUID": "", keyword: value}
                answers = self._answers(association, "STUDY", question)
                found |= matching(self.name, keyword, value, answers)
        return tuple(sorted(found))

    def instances(self, studies: Sequence[str]) -> tuple[Instance, ...]:
        """Return all instances of the studies, sorted."""
        found: set[Instance] = set()
        with self._speaking(FIND) as association:
            for study in studies:
                question = {"StudyInstanceUID": study, "SeriesInstanceUID": ""}
                question |= {"SOPInstanceUID": "", "SOPClassUID": ""}
                answers = self._answers(association, "IMAGE", question)
                found |= {instance_of(self.name, study, answer) for answer in answers}
        return tuple(sorted(found))

    def fetch(self, instances: Sequence[Instance], keep: Keep) -> None:
        """Fetch instances by C-GET or C-MOVE, as the address says, in the syntax of storage."""
        if self.address.retrieve == "move":
            self._move(instances, Keeping(keep))
            return
        classes = sorted({one.sop_class for one in instances})
        most = (CONTEXTS_MAX - 1) // len(SYNTAXES)
        for start in range(0, len(classes), most):
            some = classes[start : start + most]
            self._get([i for i in instances if i.sop_class in some], some, Keeping(keep))

    def store(self, parcels: Sequence[Parcel], sent: Sent) -> None:
        """Send files by C-STORE, in the syntax they are in."""
        kinds = sorted({parcel.kind for parcel in parcels})
        for start in range(0, len(kinds), CONTEXTS_MAX):
            some = kinds[start : start + CONTEXTS_MAX]
            self._store([p for p in parcels if p.kind in some], some, sent)

    def _store(
        self, parcels: Sequence[Parcel], kinds: Sequence[tuple[str, str]], sent: Sent
    ) -> None:
        try:
            with self._speaking(storage=[build_context(*k) for k in kinds]) as association:
                for parcel in parcels:
                    sent(parcel, self._store_one(association, parcel))
        except NodeError as error:
            if error.code != "node_no_service":
                raise
            for parcel in parcels:
                sent(parcel, not_taken(parcel))

    def _store_one(self, association: Association, parcel: Parcel) -> str | None:
        if parcel.kind not in _accepted(association):
            return not_taken(parcel)
        code = self._code(association.send_c_store(load_parcel(parcel)))
        if is_out_of_resources(code):
            said = meaning("C-STORE", code)
            raise TransferError("node_full", node=self.name, meaning=said)
        return None if is_done(code) else meaning("C-STORE", code)

    def _answers(self, association: Association, level: str, keys: dict[str, str]) -> list[Dataset]:
        question = Dataset()
        question.QueryRetrieveLevel = level
        for keyword, value in keys.items():
            setattr(question, keyword, value)
        answers = []
        for response, answer in association.send_c_find(question, FIND):
            if not is_pending(self._code(response)):
                self._end("C-FIND", response)
            elif answer is None:
                detail = "an answer to C-FIND cannot be decoded"
                raise NodeError("node_answer", node=self.name, detail=detail)
            else:
                answers.append(answer)
        return answers

    def _get(self, instances: Sequence[Instance], classes: list[str], keeping: Keeping) -> None:
        # One context for each syntax: offered together, the node would choose, and transcode.
        storage = [build_context(uid, syntax) for uid in classes for syntax in SYNTAXES]
        with self._speaking(GET, storage=storage, keeping=keeping) as association:
            for question in _requests(instances):
                self._follow("C-GET", association.send_c_get(question, GET), keeping)

    def _move(self, instances: Sequence[Instance], keeping: Keeping) -> None:
        local = self.local.receiver
        assert local is not None  # noqa: S101  (load_configuration refuses a node without it)
        with (
            receiver(self.local.ae_title, local, keeping),
            self._speaking(MOVE) as association,
        ):
            for question in _requests(instances):
                responses = association.send_c_move(question, self.local.ae_title, MOVE)
                self._follow("C-MOVE", responses, keeping)

    def _follow(self, service: str, responses: Responses, keeping: Keeping) -> None:
        """Read responses to the last; instances that did not come are for the caller to miss."""
        for response, _ in responses:
            if keeping.trouble:
                raise keeping.trouble
            if not is_pending(self._code(response)):
                self._end(service, response)

    def _end(self, service: str, response: Dataset) -> None:
        code = self._code(response)
        if code == SUCCESS or is_done(code):
            return
        kind = TransferError if is_out_of_resources(code) else NodeError
        said = meaning(service, code)
        raise kind("node_failed", node=self.name, service=service, meaning=said)

    def _code(self, response: Dataset) -> int:
        if "Status" not in response:
            raise TransferError("node_broke_off", node=self.name)
        return int(response.Status)

    @contextmanager
    def _speaking(
        self,
        *syntaxes: str,
        storage: Sequence[PresentationContext] = (),
        keeping: Keeping | None = None,
    ) -> Iterator[Association]:
        """Hold an association in which each of the services was accepted.

        With `keeping` we are the ones who store what comes over it.
        """
        contexts = [*map(build_context, syntaxes), *storage]
        classes = sorted({str(context.abstract_syntax) for context in storage})
        roles = [build_role(uid, scp_role=True) for uid in classes] if keeping else []
        handlers = [(evt.EVT_C_STORE, keeping)] if keeping else []
        with associated(
            self.name, self.local.ae_title, self.address, contexts, roles, handlers
        ) as association:
            accepted = {context.abstract_syntax for context in association.accepted_contexts}
            for syntax in set(syntaxes) - accepted:
                raise NodeError("node_no_service", node=self.name, service=UID(syntax).name)
            try:
                yield association
            except RuntimeError as error:  # pynetdicom: the association is no more
                raise TransferError("node_broke_off", node=self.name) from error


def _accepted(association: Association) -> set[tuple[str, str]]:
    contexts = association.accepted_contexts
    return {(str(c.abstract_syntax), str(c.transfer_syntax[0])) for c in contexts}


def _requests(instances: Sequence[Instance]) -> Iterator[Dataset]:
    """Yield what asks for instances: at IMAGE level a list of UIDs of one series."""
    for (study, series), group in groupby(sorted(instances), key=lambda i: (i.study, i.series)):
        uids = [one.sop for one in group]
        for start in range(0, len(uids), INSTANCES_A_REQUEST):
            question = Dataset()
            question.QueryRetrieveLevel = "IMAGE"
            question.StudyInstanceUID = study
            question.SeriesInstanceUID = series
            question.SOPInstanceUID = uids[start : start + INSTANCES_A_REQUEST]
            yield question
